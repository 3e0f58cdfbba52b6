// SPDX-License-Identifier: GPL-3.0-or-later
// Mutants that nobody chose: every integer literal and every operator of the epilogue changed once. Each is built into
// a small array and runs random cases by rules S, D and A and with wide sums until one differs; else the lint of the
// sources must refuse it. What survives is listed with the reason in epilogue_survivors.txt; a survivor that is not
// there fails the test, and so does a line there that no longer survives.
#include "support.hpp"
#include <algorithm>
#include <map>
#include <set>

namespace {

struct Mutant {
  size_t at, length;
  std::string with, name; // name: line: what -> with what
};

// Code without comments, same length.
std::string blanked(const std::string &text) {
  std::string code = text;
  for (size_t i = 0; i + 1 < code.size(); i++)
    if (code.compare(i, 2, "//") == 0)
      for (; i < code.size() && code[i] != '\n'; i++) code[i] = ' ';
  return code;
}

bool name_character(char c) {
  return isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$';
}

// From the body on: ports and parameters are the contract, not the epilogue. Lines of the compiler and of the hand-made
// mutants stay as they are.
std::vector<Mutant> mutants_of(const std::string &text) {
  static const std::vector<std::pair<std::string, std::string>> operators = {
      {">>>", "<<<"}, {"<<<", ">>>"}, {"==", "!="}, {"||", "&&"}, {"&&", "||"}, {">=", "<"},
      {"+:", ""},     {"<=", ""},     {"+", "-"},   {"-", "+"},   {"*", "+"},   {"<", ">="},
      {">", "<="},    {"&", "|"},     {"|", "&"},   {"!", ""},    {"~", ""}};
  const std::string code = blanked(text);
  std::vector<Mutant> all;
  size_t line = 1, i = 0;
  const size_t body = code.find(");\n"), end = code.find("`ifdef ERGON_MUTANT_EXTRA_REGISTER");
  bool skip = false;
  auto add = [&](size_t length, const std::string &with) {
    const size_t begin = code.rfind('\n', i) + 1, stop = code.find('\n', i);
    std::string whole = text.substr(begin, stop - begin);
    whole.erase(0, whole.find_first_not_of(' '));
    const size_t column = i - begin + 1;
    all.push_back({i, length, with,
                   std::to_string(line) + ":" + std::to_string(column) + " " + code.substr(i, length) + " -> " +
                       (with.empty() ? "nothing" : with)});
  };
  for (; i < std::min(end, code.size()); i++) {
    if (code[i] == '\n') {
      line++;
      if (code.compare(i + 1, 6, "`ifdef") == 0) skip = true;
      if (code.compare(i + 1, 5, "`else") == 0 || code.compare(i + 1, 6, "`endif") == 0) skip = false;
    }
    if (i < body || skip || code[i] == '`') continue;
    if (name_character(code[i])) {
      const size_t begin = i;
      while (i < code.size() &&
             (name_character(code[i]) || (code[i] == '\'' && isdigit(static_cast<unsigned char>(code[begin])))))
        i++;
      std::string word = code.substr(begin, i - begin);
      i = begin;
      if (isdigit(static_cast<unsigned char>(word[0])) && word.find("'(") == std::string::npos && word.back() != '\'') {
        std::string digits = word;
        while (!digits.empty() && isdigit(static_cast<unsigned char>(digits.back()))) digits.pop_back();
        const std::string value = word.substr(digits.size());
        if (!value.empty())
          add(word.size(), word == "1'b1"   ? "1'b0"
                           : word == "1'b0" ? "1'b1"
                                            : digits + std::to_string(std::stoull(value) + 1));
      }
      i = begin + word.size() - 1;
      continue;
    }
    for (const auto &[what, with] : operators)
      if (code.compare(i, what.size(), what) == 0) {
        if (what != "+:" && what != "<=") add(what.size(), with); // part selects and nonblocking assignments stay
        i += what.size() - 1;
        break;
      }
  }
  return all;
}

// The array as one file of small defaults, with this text for its epilogue.
void write_array(const std::string &folder, const std::string &epilogue, int rule, int accumulator_bits) {
  std::string text;
  for (const char *name : {"ergon_pkg", "ergon_sequencer", "ergon_array", "ergon_accumulator", "", "ergon_top"})
    text += *name ? test::read_file(std::string(ERGON_TEST_SOURCE_DIR "/rtl/") + name + ".sv") : epilogue;
  const size_t top = text.find("module ergon_top");
  auto put = [&](const std::string &name, int value) {
    const size_t at = text.find("parameter int " + name + " = ", top) + 14 + name.size() + 3;
    text.replace(at, text.find_first_of(",\n", at) - at, std::to_string(value));
  };
  put("ROWS", 3), put("COLS", 3), put("ACC_DEPTH", 16), put("RULE", rule);
  put("ACC_BITS", accumulator_bits);
  test::write_file(folder + "/ergon_top.v", text);
}

// Whether random cases tell it from the golden kernel; "" when they do not.
std::string killed_by(const std::string &folder, erg_rule rule, int accumulator_bits) {
  test::Error error;
  erg_arch arch{};
  erg_technology tech{};
  EXPECT_EQ(erg_arch_load("tiny", nullptr, 0, &arch, &error), ERG_OK);
  EXPECT_EQ(erg_technology_load("horowitz-45nm", nullptr, 0, &tech, &error), ERG_OK);
  arch.rows = arch.cols = 3, arch.accumulator_depth = 16;
  erg_point point{};
  point.arch = &arch, point.technology = &tech, point.fusion = ERG_FUSION_EPILOGUE, point.batch = 1, point.seed = 11;
  EXPECT_EQ(erg_precision_parse(("w8a8p" + std::to_string(accumulator_bits) + "o8").c_str(), &point.precision, &error),
            ERG_OK);
  erg_verify_options options{};
  options.quiet = true, options.cases = 400, options.only_case = -1, options.rule = rule;
  erg_verify_result result{};
  setenv("ERGON_RTL_SOURCES", folder.c_str(), 1);
  erg_status status = erg_verify_random(&point, &options, &result, &error);
  unsetenv("ERGON_RTL_SOURCES");
  std::string how = status == ERG_OK         ? ""
                    : status == ERG_ERR_TOOL ? "does not build"
                    : result.mismatches      ? "bits"
                                             : "cycles or hang";
  erg_verify_result_free(&result);
  erg_technology_free(&tech);
  erg_arch_free(&arch);
  return how;
}

// What rtl/lint.sh does, with this epilogue among the sources.
bool lint_refuses(const std::string &folder, const std::string &epilogue) {
  const std::string rtl = ERGON_TEST_SOURCE_DIR "/rtl/";
  test::write_file(folder + "/ergon_epilogue.sv", epilogue);
  return test::shell("cd '" + rtl +
                     "' && verilator --lint-only -Wall --unroll-count 4096 --unroll-stmts 1000000 "
                     "lint/waivers.vlt ergon_pkg.sv ergon_sequencer.sv ergon_array.sv ergon_accumulator.sv '" +
                     folder + "/ergon_epilogue.sv' ergon_top.sv --top-module ergon_top")
             .exit_code != 0;
}

constexpr struct {
  erg_rule rule;
  int accumulator_bits;
} kBuilds[] = {{ERG_RULE_S, 32}, {ERG_RULE_D, 32}, {ERG_RULE_A, 32}, {ERG_RULE_S, 48}, {ERG_RULE_D, 33}};

} // namespace

TEST(Mutants, EveryLiteralAndOperatorOfTheEpilogue) {
  const std::string text = test::read_file(ERGON_TEST_SOURCE_DIR "/rtl/ergon_epilogue.sv");
  std::map<std::string, std::string> reasons;
  std::stringstream list(test::read_file(ERGON_TEST_SOURCE_DIR "/tests/cosim/epilogue_survivors.txt"));
  for (std::string line; std::getline(list, line);)
    if (!line.empty() && line[0] != '#') reasons[line.substr(0, line.find(" | "))] = line.substr(line.find(" | ") + 3);
  test::Folder folder;
  setenv("ERGON_CACHE", (folder / "cache").c_str(), 1);
  for (auto [rule, bits] : kBuilds) {
    write_array(folder.path, text, rule, bits);
    ASSERT_EQ(killed_by(folder.path, rule, bits), "") << "the true array, rule " << erg_rule_names[rule] << " " << bits;
  }
  ASSERT_FALSE(lint_refuses(folder.path, text));
  std::map<std::string, int> counts;
  std::set<std::string> survivors;
  std::vector<Mutant> all = mutants_of(text);
  for (const Mutant &m : all) {
    std::string changed = text, how;
    changed.replace(m.at, m.length, m.with);
    for (auto [rule, bits] : kBuilds) {
      if (!how.empty()) break;
      write_array(folder.path, changed, rule, bits);
      how = killed_by(folder.path, rule, bits);
    }
    if (how.empty() && lint_refuses(folder.path, changed)) how = "lint";
    counts[how.empty() ? "survives" : how]++;
    if (!how.empty()) continue;
    survivors.insert(m.name);
    std::printf("survives: %s\n", m.name.c_str());
    EXPECT_TRUE(reasons.count(m.name)) << m.name << " survives, and epilogue_survivors.txt does not say why";
  }
  for (const auto &[name, reason] : reasons)
    EXPECT_TRUE(survivors.count(name)) << "epilogue_survivors.txt lists " << name << ", which does not survive";
  unsetenv("ERGON_CACHE");
  std::printf("%zu mutants", all.size());
  for (const auto &[how, count] : counts) std::printf(", %d %s", count, how.c_str());
  std::printf("\n");
  EXPECT_GT(all.size(), 60u);
}
