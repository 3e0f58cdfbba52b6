// SPDX-License-Identifier: GPL-3.0-or-later
// docs/json.md against real output, both ways: what it names is emitted, what is emitted it names.
#include "support.hpp"
#include <jansson.h>
#include <set>

namespace {

using Paths = std::set<std::string>;

bool names_levels(const std::string &key) {
  return key == "stall_cycles" || key == "traffic_bytes" || key == "levels" || key == "tensor_bits";
}

// Paths of all leaves; names of levels and tensors become <level> and <tensor>.
void collect(const json_t *value, const std::string &path, Paths &out) {
  const char *key;
  json_t *part;
  if (json_is_object(value)) {
    std::string last = path.substr(path.rfind('.') + 1);
    json_object_foreach(const_cast<json_t *>(value), key, part) {
      std::string name = names_levels(last) ? "<level>" : key;
      if (last == "<level>") name = "<tensor>";
      collect(part, path.empty() ? name : path + "." + name, out);
    }
  } else if (json_is_array(value)) {
    for (size_t i = 0; i < json_array_size(value); i++) collect(json_array_get(value, i), path + "[]", out);
    if (json_array_size(value) == 0) out.insert(path);
  } else {
    out.insert(path);
  }
}

Paths emitted(const std::string &arguments, int exit_code) {
  test::Output o = test::ergon(arguments + " --json");
  EXPECT_EQ(o.exit_code, exit_code) << o.err;
  json_error_t fault;
  json_t *document = json_loads(o.out.c_str(), 0, &fault);
  EXPECT_TRUE(document) << fault.text;
  Paths paths;
  collect(document, "", paths);
  json_decref(document);
  return paths;
}

// Paths that the table under `## heading` names: a token that begins with a dot stands beside the line's first one.
Paths documented(const std::string &heading) {
  std::string text = test::read_file(ERGON_TEST_SOURCE_DIR "/docs/json.md");
  size_t begin = text.find("## `" + heading + "`");
  EXPECT_NE(begin, std::string::npos);
  std::istringstream lines(text.substr(begin, text.find("\n## ", begin + 1) - begin));
  Paths paths;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("| `", 0) != 0) continue;
    std::string cell = line.substr(0, line.find(" | ", 2)), parent;
    for (size_t at = cell.find('`'); at != std::string::npos; at = cell.find('`', at)) {
      size_t end = cell.find('`', at + 1);
      std::string token = cell.substr(at + 1, end - at - 1);
      at = end + 1;
      if (token[0] == '.') {
        paths.insert(parent + token);
        continue;
      }
      parent = token.substr(0, token.rfind('.'));
      paths.insert(token);
    }
  }
  return paths;
}

bool begins(const std::string &path, const std::string &prefix) {
  return path.rfind(prefix, 0) == 0 &&
         (path.size() == prefix.size() || path[prefix.size()] == '.' || path[prefix.size()] == '[');
}

void hold(const Paths &document, const Paths &output) {
  EXPECT_GT(document.size(), 20u);
  for (const std::string &path : document) {
    bool found = false;
    for (const std::string &leaf : output)
      found |= begins(leaf, path) || (begins(path, leaf) && path.rfind("skipped", 0) == 0);
    EXPECT_TRUE(found) << "documented, not emitted: " << path;
  }
  for (const std::string &leaf : output) {
    bool found = document.count(leaf) > 0;
    for (const std::string &path : document) found |= path != leaf && begins(path, leaf); // null or empty containers
    EXPECT_TRUE(found) << "emitted, not documented: " << leaf;
  }
}

} // namespace

TEST(Json, RunIsAsDocumented) {
  Paths output = emitted("run resnet18 --precision int8,fp8e4m3", 0);
  hold(documented("ergon.run"), output);
}

TEST(Json, VerifyIsAsDocumented) {
  Paths output = emitted("verify hand-worked --arch tiny", 0);
  output.merge(emitted("verify hand-worked --arch tiny --mutant ROUNDING", 1));
  hold(documented("ergon.verify"), output);
}
