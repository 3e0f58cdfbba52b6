// SPDX-License-Identifier: GPL-3.0-or-later
// `ergon memory`: budgets, schedules, messages, and the page's own output.
#include "support.hpp"
#include <jansson.h>
#include <map>

namespace {

json_t *parse(const std::string &text) {
  json_error_t fault;
  json_t *json = json_loads(text.c_str(), 0, &fault);
  EXPECT_TRUE(json) << fault.text;
  return json;
}

} // namespace

TEST(MemoryCli, AScheduleWithinItsBudgetRunsEveryStageOnceBackwards) {
  test::Output o = test::ergon("memory resnet18 --activation-bits 32 --budget 14MB --json");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  json_t *json = parse(o.out), *stages = json_object_get(json, "stages"),
         *point = json_array_get(json_object_get(json_array_get(json_object_get(json, "widths"), 0), "points"), 0),
         *schedule = json_object_get(point, "schedule");
  EXPECT_LE(json_integer_value(json_object_get(point, "peak_bytes")), 14000000);
  EXPECT_GT(json_number_value(json_object_get(point, "recompute_share")), 0);
  std::map<std::string, int> forward, tape, backward;
  for (size_t i = 0; i < json_array_size(schedule); i++) {
    const json_t *step = json_array_get(schedule, i);
    const std::string op = json_string_value(json_object_get(step, "op")),
                      stage = json_string_value(json_object_get(step, "stage"));
    (op == "backward" ? backward : forward)[stage]++;
    tape[stage] += op == "tape";
  }
  EXPECT_GT(json_array_size(schedule), 2 * json_array_size(stages)) << "something is computed again";
  for (size_t i = 0; i < json_array_size(stages); i++) {
    const std::string name = json_string_value(json_object_get(json_array_get(stages, i), "name"));
    EXPECT_EQ(backward[name], 1) << name;
    EXPECT_EQ(tape[name], 1) << name;
    EXPECT_GE(forward[name], 1) << name;
  }
  json_decref(json);
}

TEST(MemoryCli, WhatIsWrongIsAMessage) {
  const struct {
    const char *arguments;
    int exit_code;
    const char *message;
  } cases[] = {{"", 64, "an argument is missing"},
               {"resnet18 --budget 2MB", 65, "no schedule fits in 2000000 bytes; the least budget that fits is "},
               {"resnet18 --budget 0", 64, "--budget: found '0'; allowed: 1 to 1e15 bytes, as 64MiB"},
               {"resnet18 --budget 4Mb", 64, "found '4Mb'"},
               {"resnet18 --budget MB", 64, "found 'MB'"},
               {"resnet18 --budget -3", 64, "found '-3'"},
               {"resnet18 --activation-bits 8,8", 64, "found 8 twice"},
               {"resnet18 --activation-bits 33", 64, "found '33'; allowed: a whole number from 1 to 32"},
               {"resnet18 --activation-bits 32 --precision bf16", 64, "found 32; allowed: up to the 16"},
               {"resnet18 --precision int8", 64, "allowed: a floating format"},
               {"resnet18 --precision fp32,bf16", 64, "found 2; allowed: one"},
               {"resnet18 --fusion fold", 64, "unrecognized option"},
               {"resnet18 --batch 0", 64, "--batch: found '0'"},
               {"llama-block", 1, "node q is read by nobody"},
               {"resnet18 --tech bitfusion-45nm", 1, "skipped, because"},
               {"resnet19", 66, "did you mean resnet18?"}};
  for (const auto &c : cases) {
    test::Output o = test::ergon(std::string("memory ") + c.arguments);
    EXPECT_EQ(o.exit_code, c.exit_code) << c.arguments << o.err;
    EXPECT_NE(o.err.find(c.message), std::string::npos) << c.arguments << "\n" << o.err;
    EXPECT_EQ(o.out, "") << c.arguments;
  }
}

TEST(MemoryCli, AStepTakesNoOptionThatItDoesNotRead) {
  const struct {
    const char *arguments, *message;
  } cases[] = {{"--fusion fold", "it takes no --fusion"},
               {"--model systemc", "it takes no --model"},
               {"--csv", "it takes no --csv"},
               {"--certify", "it takes no --certify"},
               {"--out /tmp/nowhere", "it takes no --out"}};
  for (const auto &c : cases) {
    test::Output o = test::ergon(std::string("run shapes-cnn --training ") + c.arguments);
    EXPECT_EQ(o.exit_code, 64) << c.arguments << o.err;
    EXPECT_NE(o.err.find(c.message), std::string::npos) << o.err;
  }
  test::Output skipped = test::ergon("run shapes-cnn --training --precision fp32,fp8e4m3");
  EXPECT_EQ(skipped.exit_code, 0);
  EXPECT_NE(skipped.out.find("fp8e4m3: skipped, because"), std::string::npos) << skipped.out;
  EXPECT_FALSE(std::filesystem::exists("/tmp/nowhere"));
}

// The least budget that a message names is one that works; a width that does not fit says so beside those that do.
TEST(MemoryCli, TheLeastBudgetWorks) {
  test::Output o = test::ergon("memory resnet18 --activation-bits 8 --budget 1MB");
  ASSERT_EQ(o.exit_code, 65) << o.err;
  const size_t at = o.err.find("the least budget that fits is ") + 30;
  const std::string least = o.err.substr(at, o.err.find(' ', at) - at);
  test::Output fits = test::ergon("memory resnet18 --activation-bits 32,8 --budget " + least);
  EXPECT_EQ(fits.exit_code, 0) << fits.err;
  EXPECT_NE(fits.out.find("does not fit: the least is "), std::string::npos) << fits.out;
}

// What docs/training-memory.md says is printed is what is printed.
TEST(MemoryCli, ThePageIsAsPrinted) {
  std::istringstream page(test::read_file(std::string(ERGON_TEST_SOURCE_DIR) + "/docs/training-memory.md"));
  std::string line, command, printed;
  int compared = 0;
  auto compare = [&] {
    if (printed.empty()) return;
    test::Output o = test::ergon(command);
    while (printed.size() > 1 && printed[printed.size() - 2] == '\n') printed.pop_back();
    EXPECT_EQ(o.out, printed) << command;
    printed.clear();
    compared++;
  };
  for (bool inside = false; std::getline(page, line);) {
    if (line.rfind("    ergon ", 0) == 0)
      command = line.substr(10);
    else if (line == "prints")
      inside = true;
    else if (inside && line.rfind("    ", 0) == 0)
      printed += line.substr(4) + "\n";
    else if (inside && line.empty())
      printed += printed.empty() ? "" : "\n";
    else if (inside)
      compare(), inside = false;
  }
  EXPECT_EQ(compared, 3);
}
