// SPDX-License-Identifier: GPL-3.0-or-later
// The shipped technology files, read by a reader of this test's own and priced by its own arithmetic.
#include "support.hpp"
#include <cmath>
#include <map>

namespace {

using Record = std::map<std::string, std::string>;
struct File {
  Record top, width_law;
  std::vector<Record> operations, memories;
};

std::string trim(const std::string &text) {
  size_t from = text.find_first_not_of(" \""), to = text.find_last_not_of(" \"");
  return from == std::string::npos ? "" : text.substr(from, to - from + 1);
}

// Block YAML as the shipped files use it: `key: value`, lists of mappings, texts that go on a deeper line.
File read_tech(const std::string &name) {
  File file;
  std::istringstream lines(test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/energy/tech/" + name + ".yaml"));
  std::string line, last;
  Record *record = &file.top;
  std::vector<Record> *list = nullptr;
  while (std::getline(lines, line)) {
    size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos || line[indent] == '#') continue;
    line = line.substr(0, line.find("   #"));
    bool item = line.compare(indent, 2, "- ") == 0;
    if (indent == 0) record = &file.top, list = nullptr;
    if (item) record = &list->emplace_back(), indent += 2;
    size_t colon = line.find(':', indent);
    if (indent == 6 || (indent == 4 && !list)) { // a text going on
      (*record)[last] += " " + trim(line);
      continue;
    }
    last = line.substr(indent, colon - indent);
    std::string value = trim(line.substr(colon + 1));
    (*record)[last] = value;
    if (indent == 0 && value.empty()) {
      list = last == "operations" ? &file.operations : last == "memories" ? &file.memories : nullptr;
      if (!list) record = &file.width_law;
    }
  }
  return file;
}

double number(const Record &record, const std::string &key) {
  auto found = record.find(key);
  return found == record.end() ? 0 : std::stod(found->second);
}

double e_pe(const Record &law, double w, double a) {
  return number(law, "c2_fj") * w * a + number(law, "c1_fj") * (w + a) / 2 + number(law, "c0_fj");
}

double op_price(const File &file, const std::string &op, const std::string &format, int w, int a) {
  double int8 = 0;
  for (const Record &r : file.operations) {
    if (r.at("op") != op || r.at("format") != format) continue;
    if (format != "int" || !r.count("weight_bits")) return number(r, "pj");
    if (number(r, "weight_bits") == w && number(r, "activation_bits") == a) return number(r, "pj");
    if (number(r, "weight_bits") == 8) int8 = number(r, "pj");
  }
  EXPECT_EQ(op, "mac") << format;
  bool scaled = file.width_law.at("scaled_to_anchor") == "yes";
  return scaled ? int8 * e_pe(file.width_law, w, a) / e_pe(file.width_law, 8, 8) : e_pe(file.width_law, w, a) / 1000;
}

double bit_price(const File &file, const std::string &kind, double bytes) {
  for (const Record &r : file.memories) {
    if (r.at("kind") != kind) continue;
    double pj = number(r, "pj_per_bit");
    return kind == "sram" ? pj * std::exp(number(r, "exponent") * std::log(bytes / number(r, "reference_bytes"))) : pj;
  }
  ADD_FAILURE() << "no " << kind;
  return 0;
}

const char *const technologies[] = {"horowitz-45nm", "bitfusion-45nm", "book", "jouppi-7nm"};

} // namespace

TEST(TechFile, EveryNumberHasASourceAndAYear) {
  for (const char *name : technologies) {
    File file = read_tech(name);
    std::vector<Record> all = file.operations;
    all.insert(all.end(), file.memories.begin(), file.memories.end());
    all.push_back(file.width_law);
    EXPECT_GT(all.size(), 5u) << name;
    for (const Record &r : all) {
      ASSERT_TRUE(r.count("source") && r.count("table") && r.count("year") && r.count("confirmed")) << name;
      EXPECT_GT(r.at("source").size(), 20u) << name;
      EXPECT_GT(number(r, "year"), 2000) << name;
      EXPECT_EQ(r.count("derived") ? r.at("derived") : "no", r.count("note") && r.count("derived") ? "yes" : "no")
          << name;
    }
  }
}

// Counts of a random pass, priced here from the file and by the library.
TEST(TechFile, EnergyIsCountsTimesTheFilesConstants) {
  test::Random random(81);
  for (const char *name : technologies) {
    File file = read_tech(name);
    bool book = file.top.count("book") && file.top.at("book") == "yes",
         inside = file.top.at("mac_includes_registers") == "yes";
    erg_technology t{};
    test::Error error;
    ASSERT_EQ(erg_technology_load(name, nullptr, 0, &t, &error), ERG_OK) << error.message();
    for (const char *precision : {"int8", "int4", "int2", "int16", "w4a8", "w3a7", "int6", "fp32", "fp16"}) {
      if (std::string(name) == "bitfusion-45nm" && precision[0] == 'f') continue;
      SCOPED_TRACE(std::string(name) + " " + precision);
      erg_precision p = test::precision(precision);
      bool integer = erg_precision_is_int(&p);
      erg_price_machine m{};
      m.level_count = 3;
      m.pe_count = 256;
      m.clock_mhz = 500;
      const char *kinds[] = {"dram", "sram", "sram", "sram", "register"};
      for (int l = 0; l < 5; l++) {
        m.levels[l].name = kinds[l];
        m.levels[l].kind = l == 0 ? ERG_MEMORY_DRAM : l == 4 ? ERG_MEMORY_REGISTER : ERG_MEMORY_SRAM;
        m.levels[l].bank_bytes = 128.0 * random.range(1, 8192);
      }
      erg_activity a{};
      a.cycles = 12345;
      double total = 0;
      for (int op = 0; op < ERG_OP_COUNT; op++) {
        if (op == ERG_OP_REQUANTIZE && !integer) continue;
        a.ops[op] = static_cast<uint64_t>(random.range(1, 1 << 24));
        if (book && op != ERG_OP_MAC) continue;
        const char *format = integer ? "int" : precision;
        total += static_cast<double>(a.ops[op]) *
                 op_price(file, erg_op_kind_names[op], format, p.weight_bits, p.activation_bits);
      }
      for (int l = 0; l < 5; l++)
        for (int tensor = 0; tensor < ERG_TENSOR_COUNT; tensor++) {
          a.read_bits[l][tensor] = static_cast<uint64_t>(random.range(0, 1 << 24));
          a.write_bits[l][tensor] = static_cast<uint64_t>(random.range(0, 1 << 24));
          if ((l == 4 && inside) || (book && (l > 0 || tensor == ERG_TENSOR_CONSTANT))) continue;
          double bits = static_cast<double>(a.read_bits[l][tensor]) + static_cast<double>(a.write_bits[l][tensor]);
          total += bits * bit_price(file, kinds[l], m.levels[l].bank_bytes);
        }
      erg_energy e{};
      ASSERT_EQ(erg_price(&t, &m, &a, &p, &p, &e, &error), ERG_OK) << error.message();
      EXPECT_NEAR(e.total_pj / total, 1, 1e-12);
    }
    erg_technology_free(&t);
  }
}

// What the notes say was added up.
TEST(TechFile, DerivedConstantsAreTheSumsTheirNotesClaim) {
  File h = read_tech("horowitz-45nm"), b = read_tech("bitfusion-45nm");
  const double nw_4x4[] = {325616, 659402, 1627500, 4821500},
               um2_4x4[] = {1297.069191, 3066.008364, 8171.729995, 26870.48336};
  for (int i = 0; i < 4; i++) {
    int w = 2 << i;
    double pj = nw_4x4[i] * 1e-9 / 500e6 / 16 * 1e12; // power / frequency / PEs
    EXPECT_NEAR(op_price(b, "mac", "int", w, w), pj, 1e-8);
    EXPECT_NEAR(op_price(h, "mac", "int", w, w), 0.3 * nw_4x4[i] / nw_4x4[2], 1e-6);
    for (const Record &r : b.operations)
      if (r.at("op") == "mac" && number(r, "weight_bits") == w)
        EXPECT_NEAR(number(r, "area_um2"), um2_4x4[i] / 16, 0.005);
  }
  EXPECT_NEAR(op_price(h, "mac", "int", 8, 8), 0.2 + 0.1, 1e-12);
  EXPECT_NEAR(op_price(h, "mac", "fp32", 0, 0), 3.7 + 0.9, 1e-12);
  EXPECT_NEAR(op_price(h, "mac", "fp16", 0, 0), 1.1 + 0.9, 1e-12);
  EXPECT_NEAR(op_price(h, "requantize", "int", 8, 8), 3.1 + 0.1 + 0.417 + 2 * 0.02947, 5e-4);
  EXPECT_NEAR(bit_price(h, "dram", 0) * 64, 1300, 1e-9);
}

// The tables of docs/energy.md show the files' numbers and no others.
TEST(TechFile, DocumentedTablesShowTheFiles) {
  const std::string doc = test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/docs/energy.md");
  for (const char *name : technologies) {
    size_t from = doc.find(std::string("### `") + name + "`");
    ASSERT_NE(from, std::string::npos) << name;
    std::string section = doc.substr(from, doc.find("\n### ", from + 1) - from);
    File file = read_tech(name);
    auto shows = [&](const std::string &row) {
      EXPECT_NE(section.find(row), std::string::npos) << name << ": no row " << row;
    };
    size_t rows = 0;
    for (size_t at = section.find("\n| `"); at != std::string::npos; at = section.find("\n| `", at + 1)) rows++;
    EXPECT_EQ(rows, file.operations.size() + file.memories.size() + 1) << name;
    for (const Record &r : file.operations) {
      std::string width = r.count("weight_bits") ? r.at("weight_bits") : "";
      shows("| `" + r.at("op") + " " + r.at("format") + width + "` | " + r.at("pj") + " pJ |");
    }
    for (const Record &r : file.memories) shows("| `" + r.at("kind") + "` | " + r.at("pj_per_bit") + " pJ/bit");
    shows("| `width_law` | " + file.width_law.at("c2_fj") + " wa + " + file.width_law.at("c1_fj") + " (w + a)/2 + " +
          file.width_law.at("c0_fj") + " fJ");
  }
}
