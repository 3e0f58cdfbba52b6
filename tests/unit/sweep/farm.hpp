// SPDX-License-Identifier: GPL-3.0-or-later
// A user's folder for tests of farms: names with blanks and quotes, a specification that names a file beside it.
#pragma once
#include "sweep.hpp"
#include <chrono>
#include <jansson.h>
#include <thread>

namespace farm {

inline std::string quote(const std::string &text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

inline std::string program() { return test::binary_dir() + "/bin/ergon"; }

// Runs commands in its folder, with `before` (an environment) in front.
struct Desk {
  test::Folder folder;
  std::filesystem::path here = folder.path / "a user's \"work\" $HOME";
  std::string before, store = "results.db";
  explicit Desk(int more) {
    std::filesystem::create_directory(here);
    write(more);
    test::Output net = test::ergon("show workload hand-worked");
    EXPECT_EQ(net.exit_code, 0) << net.err;
    test::write_file(here / "my net.yaml", net.out);
  }
  void write(int more, const std::string &more_lines = "") const {
    std::string text = sweep::small(more);
    text.replace(text.find("[hand-worked]"), 13, "[\"./my net.yaml\"]");
    test::write_file(here / "my spec.yaml", text + more_lines);
  }
  test::Output run(const std::string &arguments) const {
    return test::shell("cd " + quote(here) + " && " + before + " " + quote(program()) + " sweep " + arguments);
  }
  test::Output submit(const std::string &more = "") const {
    return run("submit './my spec.yaml' --store " + store + " " + more);
  }
  std::string path(const std::string &name) const { return here / name; }
  // Member of the submission's record, as text; nothing: there is none.
  std::string record(const char *key) const {
    json_t *document = json_load_file(path(store + ".farm/submission.json").c_str(), 0, nullptr);
    const json_t *value = json_object_get(document, key);
    std::string text = json_is_string(value)    ? json_string_value(value)
                       : json_is_integer(value) ? std::to_string(json_integer_value(value))
                                                : "";
    json_decref(document);
    return text;
  }
  // Until the record says that the work has ended: "complete" or "incomplete".
  std::string wait(double most_s) const {
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < std::chrono::duration<double>(most_s)) {
      const std::string state = record("state");
      if (state == "complete" || state == "incomplete") return state;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return record("state");
  }
  // Every log that the farm wrote, for messages.
  std::string logs() const {
    std::string text;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(path(store + ".farm")))
      if (entry.path().extension() == ".log")
        text += entry.path().filename().string() + ":\n" + test::read_file(entry.path()) + "\n";
    return text;
  }
  // Rows of the same specification, computed by one process, undisturbed.
  std::string calm(const std::string &more = "") const {
    std::filesystem::remove(path("calm.db"));
    test::Output o = run("run './my spec.yaml' -q --store calm.db --jobs 2 " + more);
    EXPECT_EQ(o.exit_code, more.empty() ? 0 : 1) << o.err;
    return sweep::dump(path("calm.db"));
  }
  std::string rows() const { return sweep::dump(path(store)); }
};

} // namespace farm
