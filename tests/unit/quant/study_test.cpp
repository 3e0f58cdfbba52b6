// SPDX-License-Identifier: GPL-3.0-or-later
// Studies: statistics by hand, what a report says, and a few seeds of each quick one.
#include "support.hpp"
#include <cmath>
extern "C" {
#include "ergon/quant.h"
}

namespace {

// Two arms whose numbers are known: seeds 1 to 4.
erg_status numbers_of_a_seed(uint64_t seed, erg_study_result *out, erg_error *error) {
  const double values[2][4] = {{1, 2, 3, 6}, {2, 1, 4, 9}};
  for (int arm = 0; arm < 2; arm++) {
    const char *texts[] = {arm ? "b" : "a"};
    if (erg_study_add(out, seed, texts, &values[arm][seed - 1], error) != ERG_OK) return error->status;
  }
  return ERG_OK;
}
erg_status one_claim(erg_study_result *r, erg_error *error) {
  return erg_study_claim_add(r, ERG_SHOWS_IN_PART, "a | b", "here", "none", error, "%d seeds", r->seeds);
}
const char *const kTexts[] = {"arm", nullptr}, *const kNumbers[] = {"value_pj", nullptr};
const erg_study kStudy = {"made-up", "Nothing", 4, {kTexts, kNumbers}, numbers_of_a_seed, one_claim};

struct Result : erg_study_result {
  test::Error error;
  erg_status status;
  Result(const erg_study &study, int seeds) : erg_study_result{} {
    erg_study_options options{1, seeds, nullptr};
    status = erg_study_run(&study, &options, this, &error);
  }
  ~Result() { erg_study_result_free(this); }
  erg_study_series series(const char *arm) {
    const char *texts[] = {arm, nullptr};
    erg_study_series s{};
    EXPECT_EQ(erg_study_series_of(this, texts, "value_pj", &s, &error), ERG_OK) << error.message();
    return s;
  }
};

const erg_study *study_named(const char *name) {
  const erg_study *study = nullptr;
  test::Error error;
  EXPECT_EQ(erg_study_find(name, &study, &error), ERG_OK) << error.message();
  return study;
}

} // namespace

TEST(Study, MeansWinsAndSignTestsByHand) {
  Result r(kStudy, 4);
  ASSERT_EQ(r.status, ERG_OK) << r.error.message();
  erg_study_series a = r.series("a"), b = r.series("b");
  double mean, deviation;
  erg_study_mean(&a, &mean, &deviation);
  EXPECT_DOUBLE_EQ(mean, 3);
  EXPECT_DOUBLE_EQ(deviation, std::sqrt(14.0 / 3)); // (4 + 1 + 0 + 9) / 3
  EXPECT_EQ(erg_study_wins(&a, &b), 3);
  EXPECT_EQ(erg_study_wins(&b, &a), 1);
  EXPECT_DOUBLE_EQ(erg_sign_test(0, 10), 1);
  EXPECT_NEAR(erg_sign_test(10, 10), 1 / 1024.0, 1e-15);
  EXPECT_NEAR(erg_sign_test(9, 10), 11 / 1024.0, 1e-15);
  EXPECT_NEAR(erg_sign_test(11, 12), 13 / 4096.0, 1e-15);
}

TEST(Study, ASeriesWithoutExactlyOnePointASeedIsAFault) {
  Result r(kStudy, 4);
  ASSERT_EQ(r.status, ERG_OK);
  erg_study_series s{};
  const char *missing[] = {"c", nullptr}, *any[] = {nullptr, nullptr};
  EXPECT_EQ(erg_study_series_of(&r, missing, "value_pj", &s, &r.error), ERG_ERR_DATA);
  EXPECT_NE(std::string(r.error.message()).find("seed 1 has 0 points"), std::string::npos) << r.error.message();
  test::Error two, column;
  EXPECT_EQ(erg_study_series_of(&r, any, "value_pj", &s, &two), ERG_ERR_DATA);
  const char *a[] = {"a", nullptr};
  EXPECT_EQ(erg_study_series_of(&r, a, "value_nj", &s, &column), ERG_ERR_DATA);
}

TEST(Study, ReportsHoldWhatWasMeasured) {
  Result r(kStudy, 4);
  json_t *json = erg_study_json(&r);
  EXPECT_EQ(json_array_size(json_object_get(json, "points")), 8u);
  EXPECT_DOUBLE_EQ(json_real_value(json_array_get(json_array_get(json_object_get(json, "points"), 7), 2)), 9);
  char *text = nullptr;
  size_t bytes = 0;
  FILE *out = open_memstream(&text, &bytes);
  EXPECT_EQ(erg_study_markdown(json, out, &r.error), ERG_OK) << r.error.message();
  fputc('\n', out);
  erg_study_csv(&r, out);
  fclose(out);
  const std::string page(text, bytes);
  free(text);
  EXPECT_NE(page.find("| a \\| b | here | 4 seeds | none | shows in part |"), std::string::npos) << page;
  EXPECT_NE(page.find("\nseed,arm,value_pj\n1,a,1\n1,b,2\n"), std::string::npos) << page;
  json_object_del(json, "claims");
  EXPECT_EQ(erg_study_markdown(json, stdout, &r.error), ERG_ERR_DATA);
  json_decref(json);
}

TEST(Study, NoSeedsOrNoSuchNameIsAMessage) {
  Result none(kStudy, 0);
  EXPECT_EQ(none.status, ERG_ERR_USAGE);
  const erg_study *study = nullptr;
  test::Error error;
  EXPECT_EQ(erg_study_find("foldin", &study, &error), ERG_ERR_USAGE);
  EXPECT_NE(std::string(error.message()).find("did you mean folding?"), std::string::npos) << error.message();
}

TEST(Study, EachHasNamesColumnsAndAQuestion) {
  ERG_EACH(erg_study, item) {
    EXPECT_GE((*item)->seeds, 10) << (*item)->name;
    EXPECT_NE((*item)->help, nullptr);
    EXPECT_NE((*item)->columns.texts, nullptr);
    EXPECT_NE((*item)->columns.numbers, nullptr);
  }
}

TEST(Study, FoldingShowsOverThreeSeeds) {
  Result r(*study_named("folding"), 3);
  ASSERT_EQ(r.status, ERG_OK) << r.error.message();
  ASSERT_EQ(r.claim_count, 2);
  for (int i = 0; i < 2; i++) EXPECT_EQ(r.claims[i].verdict, ERG_SHOWS) << r.claims[i].measured;
}
