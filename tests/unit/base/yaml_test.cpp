// SPDX-License-Identifier: GPL-3.0-or-later
// The strict reader: every kind of fault with its exact place, all faults at once, nothing written on a fault.
#include "support.hpp"

namespace {

struct Part {
  int64_t size;
  double energy_pj;
  char *name;
  erg_position position;
};
struct Thing {
  int64_t rows, depth;
  double clock_mhz;
  bool on;
  char *label;
  int kind;
  erg_ints list;
  erg_texts words;
  Part part;
  erg_records parts;
};

const char *const kinds[] = {"alpha", "beta", nullptr};

#define OFFSET(type, member) offsetof(type, member)
const erg_field part_fields[] = {
    {"size", ERG_FIELD_INT, OFFSET(Part, size), "byte", 1, 100, nullptr, false, nullptr, nullptr, 0, ""},
    {"energy_pj", ERG_FIELD_REAL, OFFSET(Part, energy_pj), "pJ", 0, 10, "1.5", false, nullptr, nullptr, 0, ""},
    {"name", ERG_FIELD_TEXT, OFFSET(Part, name), nullptr, 0, 0, nullptr, true, nullptr, nullptr, 0, ""},
};
const erg_record part_record = {"part", sizeof(Part), part_fields, 3, OFFSET(Part, position)};
const erg_field thing_fields[] = {
    {"rows", ERG_FIELD_INT, OFFSET(Thing, rows), nullptr, 1, 64, nullptr, false, nullptr, nullptr, 0,
     "rows of the array"},
    {"depth", ERG_FIELD_INT, OFFSET(Thing, depth), nullptr, 1, 64, "7", false, nullptr, nullptr, 0, ""},
    {"clock_mhz", ERG_FIELD_REAL, OFFSET(Thing, clock_mhz), "MHz", 1, 5000, "500", false, nullptr, nullptr, 0, ""},
    {"on", ERG_FIELD_BOOL, OFFSET(Thing, on), nullptr, 0, 0, "no", false, nullptr, nullptr, 0, ""},
    {"label", ERG_FIELD_TEXT, OFFSET(Thing, label), nullptr, 0, 0, nullptr, true, nullptr, nullptr, 0, ""},
    {"kind", ERG_FIELD_NAME, OFFSET(Thing, kind), nullptr, 0, 0, "alpha", false, kinds, nullptr, 0, ""},
    {"list", ERG_FIELD_INTS, OFFSET(Thing, list), nullptr, 0, 9, nullptr, true, nullptr, nullptr, 4, ""},
    {"words", ERG_FIELD_TEXTS, OFFSET(Thing, words), nullptr, 0, 0, nullptr, true, nullptr, nullptr, 4, ""},
    {"part", ERG_FIELD_RECORD, OFFSET(Thing, part), nullptr, 0, 0, nullptr, true, nullptr, &part_record, 0, ""},
    {"parts", ERG_FIELD_RECORDS, OFFSET(Thing, parts), nullptr, 0, 0, nullptr, true, nullptr, &part_record, 3, ""},
};
const erg_record thing_record = {"thing", sizeof(Thing), thing_fields, 10, ERG_NO_POSITION};

const char *const good = "rows: 16\nclock_mhz: 1.5e3\non: yes\nlabel: \"0x10\"\nkind: beta\nlist: [1, 2]\nwords: one\n"
                         "part: {size: 3}\nparts:\n  - {size: 4, energy_pj: 0.25}\n  - size: 5\n    name: last\n";

erg_status decode(const std::string &text, Thing *out, test::Error *error, test::Arena *arena,
                  std::vector<erg_override> overrides = {}) {
  return erg_yaml_decode(arena, "t.yaml", text.c_str(), &thing_record, overrides.data(),
                         static_cast<int>(overrides.size()), out, error);
}

// The message of a text that must fail.
std::string fault(const std::string &text, std::vector<erg_override> overrides = {}) {
  Thing thing{};
  thing.rows = -77;
  test::Error error;
  test::Arena arena;
  EXPECT_NE(decode(text, &thing, &error, &arena, overrides), ERG_OK) << text;
  EXPECT_EQ(thing.rows, -77) << "written in spite of a fault: " << text;
  return error.message();
}

} // namespace

TEST(Yaml, ReadsEveryType) {
  Thing t{};
  test::Error error;
  test::Arena arena;
  ASSERT_EQ(decode(good, &t, &error, &arena), ERG_OK) << error.message();
  EXPECT_EQ(t.rows, 16);
  EXPECT_EQ(t.depth, 7);
  EXPECT_EQ(t.clock_mhz, 1500);
  EXPECT_TRUE(t.on);
  EXPECT_STREQ(t.label, "0x10");
  EXPECT_EQ(t.kind, 1);
  ASSERT_EQ(t.list.count, 2);
  EXPECT_EQ(t.list.items[1], 2);
  ASSERT_EQ(t.words.count, 1);
  EXPECT_STREQ(t.words.items[0], "one");
  EXPECT_EQ(t.part.energy_pj, 1.5);
  ASSERT_EQ(t.parts.count, 2);
  const Part *parts = static_cast<const Part *>(t.parts.items);
  EXPECT_EQ(parts[0].energy_pj, 0.25);
  EXPECT_STREQ(parts[1].name, "last");
  EXPECT_EQ(parts[1].position.line, 11);
}

TEST(Yaml, NamesThePlaceAndWhatIsAllowed) {
  const std::pair<const char *, const char *> cases[] = {
      {"rows: 14x\n", "t.yaml:1:7: rows: found 14x; allowed: a whole number from 1 to 64"},
      {"rows: 14.7\n", "t.yaml:1:7: rows: found 14.7; allowed"},
      {"rows: 1e1\n", "t.yaml:1:7: rows: found 1e1; allowed"},
      {"rows: 012\n", "t.yaml:1:7: rows: found 012; allowed"},
      {"rows: 0x10\n", "t.yaml:1:7: rows: found 0x10; allowed"},
      {"rows: \"16\"\n", "t.yaml:1:7: rows: found 16; allowed"},
      {"rows: 65\n", "t.yaml:1:7: rows: found 65; allowed: a whole number from 1 to 64"},
      {"rows: 99999999999999999999\n", "t.yaml:1:7: rows: found 99999999999999999999"},
      {"rows:\n", "rows: found nothing; allowed"},
      {"rows: 1\nclock_mhz: 1.5GHz\n", "t.yaml:2:12: clock_mhz: found 1.5GHz; allowed: a number from 1 to 5000 MHz"},
      {"rows: 1\nclock_mhz: nan\n", "t.yaml:2:12: clock_mhz: found nan"},
      {"rows: 1\nclock_mhz: .inf\n", "t.yaml:2:12: clock_mhz: found .inf"},
      {"rows: 1\nclock_mhz: 1.\n", "t.yaml:2:12: clock_mhz: found 1."},
      {"rows: 1\non: maybe\n", "t.yaml:2:5: on: found maybe; allowed: true, false, yes, no"},
      {"rows: 1\nkind: betta\n", "t.yaml:2:7: kind: found betta (did you mean beta?); allowed: alpha, beta"},
      {"rows: 1\nrow: 2\n", "t.yaml:2:1: row: unknown key (did you mean rows?); allowed: rows, depth"},
      {"rows: 1\nrows: 2\n", "t.yaml:2:1: rows: found twice, first on line 1; allowed: once"},
      {"depth: 3\n", "t.yaml:1:1: rows: found no such key; allowed: rows of the array"},
      {"rows: [1]\n", "t.yaml:1:7: rows: found a list; allowed"},
      {"rows: 1\nlist: [1, 10]\n", "t.yaml:2:11: list[1]: found 10; allowed: a whole number from 0 to 9"},
      {"rows: 1\nlist: [1,1,1,1,1]\n", "t.yaml:2:7: list: found a list of 5; allowed: a list of at most 4"},
      {"rows: 1\nparts:\n  - {size: 0}\n",
       "t.yaml:3:12: parts[0].size: found 0; allowed: a whole number from 1 to 100 byte"},
      {"rows: 1\nparts:\n  - {siz: 1}\n", "t.yaml:3:6: parts[0].siz: unknown key (did you mean size?)"},
      {"rows: 1\npart: 3\n", "t.yaml:2:7: part: found 3; allowed: a mapping of keys"},
      {"- rows\n", "t.yaml:1:1: thing: found a list; allowed: a mapping of keys"},
      {"", "t.yaml:1:1: the document is empty"},
      {"# nothing\n", "the document is empty"},
      {"rows: 1\n---\nrows: 2\n", "t.yaml:3:1: found a second document; allowed: one"},
      {"rows: &a 1\ndepth: *a\n", "t.yaml:2:8: found an alias (*)"},
      {"rows: 1\n\tdepth: 2\n", "t.yaml:2:1: malformed YAML"},
      {"rows: [1\n", "malformed YAML"},
      {"? [a]\n: 1\n", "a key must be a word"},
      {"rows: \"a\\0b\"\n", "found a NUL character"},
  };
  for (const auto &[text, expected] : cases)
    EXPECT_NE(fault(text).find(expected), std::string::npos) << text << "\n  got: " << fault(text);
}

TEST(Yaml, ReportsAllFaultsAtOnce) {
  std::string message =
      fault("rows: 0\nclock_mhz: fast\nkind: gamma\ncolour: red\nparts: [{size: 101}, {energy_pj: 11}]\n");
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n') + 1, 7) << message;
}

TEST(Yaml, OverridesReplaceInsertAndAreChecked) {
  Thing t{};
  test::Error error;
  test::Arena arena;
  ASSERT_EQ(
      decode(good, &t, &error, &arena,
             {{"rows", "32"}, {"depth", "9"}, {"parts.1.size", "50"}, {"list", "[3, 4, 5]"}, {"part.energy_pj", "2"}}),
      ERG_OK)
      << error.message();
  EXPECT_EQ(t.rows, 32);
  EXPECT_EQ(t.depth, 9);
  EXPECT_EQ(t.list.count, 3);
  EXPECT_EQ(t.part.energy_pj, 2);
  EXPECT_EQ(static_cast<const Part *>(t.parts.items)[1].size, 50);
  EXPECT_NE(fault(good, {{"row", "32"}}).find("--set row=32: unknown key (did you mean rows?)"), std::string::npos);
  EXPECT_NE(fault(good, {{"rows", "3x"}}).find("--set rows=3x: found 3x; allowed"), std::string::npos);
  EXPECT_NE(fault(good, {{"parts.2.size", "5"}}).find("found item 2; allowed: 0 to 1"), std::string::npos);
  EXPECT_NE(fault(good, {{"rows.deep", "5"}}).find("nothing below this key can be set"), std::string::npos);
}

TEST(Yaml, DeepAndHugeDocumentsAreRefused) {
  std::string deep(100, '[');
  EXPECT_NE(fault("rows: " + deep + std::string(100, ']')).find("too large"), std::string::npos);
  std::string wide = "rows: [";
  for (int i = 0; i < 250000; i++) wide += "1,";
  EXPECT_NE(fault(wide + "1]").find("too large"), std::string::npos);
}

// Random byte changes of a good file: never a crash, and a fault always has a message.
TEST(Yaml, SurvivesMutations) {
  const uint64_t seed = 20240601;
  SCOPED_TRACE("seed " + std::to_string(seed));
  test::Random random(seed);
  int failed = 0;
  for (int round = 0; round < 20000; round++) {
    std::string text = good;
    for (int change = random.range(1, 4); change > 0; change--) {
      size_t at = static_cast<size_t>(random.range(0, static_cast<int64_t>(text.size()) - 1));
      switch (random.range(0, 2)) {
      case 0:
        text[at] = static_cast<char>(random.range(1, 255));
        break;
      case 1:
        text.erase(at, static_cast<size_t>(random.range(1, 5)));
        break;
      default:
        text.insert(at, text.substr(at / 2, static_cast<size_t>(random.range(1, 9))));
      }
    }
    Thing thing{};
    test::Error error;
    test::Arena arena;
    if (decode(text, &thing, &error, &arena) != ERG_OK) {
      failed++;
      ASSERT_FALSE(error.message().empty()) << text;
    }
  }
  EXPECT_GT(failed, 5000); // else the changes did nothing
}
