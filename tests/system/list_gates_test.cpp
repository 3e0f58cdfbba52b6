// SPDX-License-Identifier: GPL-3.0-or-later
// `ergon list gates` prints every form with the error measured on the spot.
#include "support.hpp"

TEST(ListGates, PrintsEveryFormWithMeasuredErrors) {
  test::Output o = test::shell("'" + test::binary_dir() + "/bin/ergon' list gates");
  ASSERT_EQ(o.exit_code, 0) << o.err;
  ERG_EACH(erg_gate, item) {
    EXPECT_NE(o.out.find(std::string((*item)->name) + "  "), std::string::npos) << (*item)->name;
    for (int f = 0; f < (*item)->form_count; f++) {
      const erg_gate_form *form = &(*item)->forms[f];
      erg_gate_error e;
      test::Error error;
      double high = (*item)->symmetry == ERG_GATE_NEGATIVE ? 0 : (*item)->limit;
      ASSERT_EQ(erg_gate_measure(*item, form, true, -(*item)->limit, high, 1 / 1024.0, &e, &error), ERG_OK);
      std::stringstream lines(o.out);
      std::string line, name, second, figure;
      bool found = false;
      while (std::getline(lines, line)) {
        std::stringstream words(line);
        words >> name >> second;
        for (int skip = 0; skip < 8; skip++) words >> figure; // five costs, range, formula, integer
        if (name != (*item)->name || second != form->name) continue;
        char want[32];
        std::snprintf(want, sizeof want, "%.2e", e.max_error);
        EXPECT_EQ(figure, want) << line;
        found = true;
      }
      EXPECT_TRUE(found) << (*item)->name << " " << form->name;
    }
  }
}
