// SPDX-License-Identifier: GPL-3.0-or-later
// One's own tensors through the array: right ones, every fault of wrong ones, a wrong array. The files are written here
// byte by byte, and the sums expected are those of a loop here.
#include "support.hpp"
#include <jansson.h>

namespace {

std::string npy(const std::string &type, const std::string &shape, const std::vector<int64_t> &values, int version = 1,
                const char *fortran = "False") {
  std::string header = "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
  header.resize((header.size() / 64 + 1) * 64 + (version == 1 ? 54 : 52) - 1, ' ');
  header += '\n';
  std::string text = std::string("\x93NUMPY") + static_cast<char>(version) + '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); i++) text += static_cast<char>(header.size() >> 8 * i);
  text += header;
  int bytes = type[2] - '0';
  for (int64_t value : values)
    for (int i = 0; i < bytes; i++) text += static_cast<char>(value >> 8 * i);
  return text;
}

struct Product {
  test::Folder folder;
  int m, n, k;
  std::vector<int64_t> x, w, b;
  Product(int m, int n, int k, int low, int high, uint64_t seed) : m(m), n(n), k(k) {
    test::Random random(seed);
    for (int i = 0; i < m * k; i++) x.push_back(random.range(low, high));
    for (int i = 0; i < n * k; i++) w.push_back(random.range(low, high));
    for (int i = 0; i < n; i++) b.push_back(random.range(-100000, 100000));
  }
  static std::string pair(int rows, int columns) {
    return "(" + std::to_string(rows) + ", " + std::to_string(columns) + ")";
  }
  std::string write(const char *xt = "|i1", const char *wt = "<i2", const char *bt = "<i4", int version = 1) {
    test::write_file(folder / "x.npy", npy(xt, pair(m, k), x, version));
    test::write_file(folder / "w.npy", npy(wt, pair(n, k), w, version));
    test::write_file(folder / "b.npy", npy(bt, "(" + std::to_string(n) + ",)", b, version));
    return "verify --quiet --arch tiny --input " + (folder / "x.npy") + " --weight " + (folder / "w.npy") + " --bias " +
           (folder / "b.npy");
  }
};

json_t *document(const test::Output &o) {
  return json_loads(o.out.c_str(), 0, nullptr);
}

} // namespace

TEST(Own, EveryShapeAndTypeOfFileIsChecked) {
  const struct {
    int m, n, k;
    const char *x, *w, *b;
    int version;
  } cases[] = {
      {1, 1, 1, "|i1", "|i1", "<i4", 1}, {9, 5, 7, "<i2", "<i4", "<i8", 2}, {300, 11, 13, "<i8", "|i1", "<i4", 3}};
  for (auto &c : cases) {
    Product p(c.m, c.n, c.k, -128, 127, 7);
    test::Output o = test::ergon(p.write(c.x, c.w, c.b, c.version) + " --json");
    ASSERT_EQ(o.exit_code, 0) << o.err;
    json_t *root = document(o), *row = json_array_get(json_object_get(root, "layers"), 0);
    EXPECT_STREQ(json_string_value(json_object_get(row, "name")), "product");
    EXPECT_STREQ(json_string_value(json_object_get(row, "status")), "ok");
    EXPECT_EQ(json_integer_value(json_object_get(root, "checked_outputs")), c.m * c.n);
    EXPECT_EQ(json_integer_value(json_object_get(root, "macs_checked")), c.m * c.n * c.k);
    json_decref(root);
  }
}

// Both rails of every operand; the lowest code times itself is the product that only one sign bit more can hold.
TEST(Own, BothRails) {
  for (int64_t code : {-128, 127}) {
    Product p(6, 6, 20, 0, 0, 1);
    for (auto &v : p.x) v = code;
    for (size_t i = 0; i < p.w.size(); i++) p.w[i] = i % 2 ? -128 : code;
    for (size_t i = 0; i < p.b.size(); i++) p.b[i] = i % 2 ? INT32_MAX : INT32_MIN;
    test::Output o = test::ergon(p.write());
    EXPECT_EQ(o.exit_code, 0) << o.err << o.out;
  }
}

// A wrong array is found, and the golden sum shown is that of the user's tensors, by a loop.
TEST(Own, AWrongArrayIsFoundAndTheSumIsThatOfTheFiles) {
  Product p(9, 5, 7, -128, 127, 3);
  test::Output o = test::ergon(p.write() + " --mutant SKEW --json");
  ASSERT_EQ(o.exit_code, 1) << o.err;
  json_t *root = document(o), *row = json_array_get(json_object_get(root, "layers"), 0);
  json_t *first = json_object_get(row, "first_difference"), *closer = json_object_get(row, "closer");
  ASSERT_TRUE(json_is_object(first) && json_is_object(closer));
  EXPECT_TRUE(json_is_null(json_object_get(first, "case")));
  int64_t m = json_integer_value(json_object_get(first, "row")),
          n = json_integer_value(json_object_get(first, "channel"));
  int64_t sum = p.b[n];
  for (int k = 0; k < p.k; k++) sum += p.x[m * p.k + k] * p.w[n * p.k + k];
  EXPECT_EQ(json_integer_value(json_object_get(closer, "sum_expected")), sum);
  EXPECT_NE(json_integer_value(json_object_get(closer, "sum_got")), sum);
  std::string again = json_string_value(json_object_get(closer, "command"));
  EXPECT_EQ(again.find("--case"), std::string::npos) << again;
  json_decref(root);
}

TEST(Own, AllFaultsAtOnceEachWithWhatIsAllowed) {
  Product p(4, 3, 5, 0, 9, 1);
  p.x[7] = 128; // row 1, column 2; in 16 bits, or it would be another number
  std::string line = p.write("<i2");
  test::write_file(p.folder / "w.npy", npy("<i2", "(3, 6)", std::vector<int64_t>(18, 1)));
  test::write_file(p.folder / "b.npy", npy("<f4", "(4, 4)", std::vector<int64_t>(16, 0)));
  test::Output o = test::ergon(line);
  EXPECT_EQ(o.exit_code, 65);
  for (const char *part : {"found 128 at row 1, column 2; allowed: -128 to 127", "(4, 5)", "(3, 6)", "the same K",
                           "element type: found <f4", "found (4, 4); allowed: one extent"})
    EXPECT_NE(o.err.find(part), std::string::npos) << part << " in: " << o.err;
}

TEST(Own, FilesThatAreNone) {
  const struct {
    std::string text;
    const char *says;
  } files[] = {{"", "not a NumPy file"},
               {"hello, world", "not a NumPy file"},
               {npy("|i1", "(4, 5)", std::vector<int64_t>(19, 1)), "found 19 bytes behind the header"},
               {npy("|i1", "(4, 5)", std::vector<int64_t>(21, 1)), "found at least 21 bytes"},
               {npy("|i1", "(4, 5)", std::vector<int64_t>(20, 1), 1, "True"), "columns first"},
               {npy(">i2", "(4, 5)", std::vector<int64_t>(20, 1)), "element type: found >i2"},
               {npy("|i1", "(0, 5)", {}), "extents from 1"},
               {npy("|i1", "(99999999999, 99999999999)", {}), "up to 67108864 elements"},
               {npy("|i1", "(4, 5", std::vector<int64_t>(20, 1)), "shape: found nothing"},
               {npy("|u1", "(4, 5)", std::vector<int64_t>(20, 200)), "found 200 at row 0"},
               {npy("<u8", "(4, 5)", std::vector<int64_t>(20, -1)), "do not fit --input"}};
  Product p(4, 3, 5, 0, 9, 1);
  std::string line = p.write();
  for (auto &file : files) {
    test::write_file(p.folder / "x.npy", file.text);
    test::Output o = test::ergon(line);
    EXPECT_EQ(o.exit_code, 65) << file.says;
    EXPECT_NE(o.err.find(file.says), std::string::npos) << file.says << " in: " << o.err;
  }
  std::filesystem::remove(p.folder / "x.npy");
  EXPECT_EQ(test::ergon(line).exit_code, 66);
}

TEST(Own, OptionsThatDoNotGoTogether) {
  EXPECT_EQ(test::ergon("verify --input x.npy").exit_code, 64);
  EXPECT_EQ(test::ergon("verify --bias b.npy").exit_code, 64);
  EXPECT_EQ(test::ergon("verify hand-worked --input x.npy --weight w.npy").exit_code, 64);
  EXPECT_EQ(test::ergon("verify --case 3 --input x.npy --weight w.npy").exit_code, 64);
}
