// SPDX-License-Identifier: GPL-3.0-or-later
// Every study again, as long as it takes: the verdicts must be those of the committed run.
#include "support.hpp"
#include <algorithm>
#include <jansson.h>
#include <vector>
extern "C" {
#include "ergon/quant.h"
}

/* Names the test, for ctest too. */
void PrintTo(const erg_study *study, std::ostream *stream) {
  *stream << study->name;
}

class Study : public testing::TestWithParam<const erg_study *> {};

static std::vector<const erg_study *> all() {
  std::vector<const erg_study *> studies;
  ERG_EACH(erg_study, item) studies.push_back(*item);
  return studies;
}

static std::string named(const testing::TestParamInfo<const erg_study *> &info) {
  std::string name = info.param->name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Slow, Study, testing::ValuesIn(all()), named);

TEST_P(Study, GivesTheVerdictsOfTheCommittedRun) {
  const erg_study *study = GetParam();
  const std::string path = std::string(ERGON_TEST_SOURCE_DIR) + "/docs/studies/" + study->name + ".json";
  json_t *document = json_load_file(path.c_str(), 0, nullptr);
  ASSERT_NE(document, nullptr) << path;
  const json_t *committed = json_array_get(json_object_get(document, "studies"), 0),
               *claims = json_object_get(committed, "claims");
  test::Error error;
  erg_study_result r{};
  erg_study_options options{static_cast<uint64_t>(json_integer_value(json_object_get(committed, "first_seed"))),
                            static_cast<int>(json_integer_value(json_object_get(committed, "seeds"))), nullptr};
  EXPECT_EQ(options.seeds, study->seeds);
  ASSERT_EQ(erg_study_run(study, &options, &r, &error), ERG_OK) << error.message();
  ASSERT_EQ(static_cast<size_t>(r.claim_count), json_array_size(claims));
  for (int i = 0; i < r.claim_count; i++) {
    const json_t *claim = json_array_get(claims, static_cast<size_t>(i));
    EXPECT_STREQ(erg_verdict_names[r.claims[i].verdict], json_string_value(json_object_get(claim, "verdict")))
        << r.claims[i].measured;
    std::printf("%s | %s\n", r.claims[i].claim, r.claims[i].measured);
  }
  erg_study_result_free(&r);
  json_decref(document);
}
