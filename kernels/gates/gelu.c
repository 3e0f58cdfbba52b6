/* SPDX-License-Identifier: Apache-2.0 */
#include "shared.h"

static long double exact(long double x) {
  return x / 2 * erfcl(-x * 0.707106781186547524400844362104849039L);
}

/* x sigmoid(1.702 x) (Hendrycks and Gimpel 2016); the sigmoid is 64 chords of [0, 8], 1 beyond. */
static long double sigmoid_real(long double x) {
  return x * erg_sigmoid_real(1.702L * x);
}
static void sigmoid_nodes(int32_t *nodes) {
  for (int i = 0; i <= 64; i++) nodes[i] = (int32_t)lrintl(0x1p20L * erg_sigmoid_real(i / 8.0L));
}
static int32_t sigmoid(const int32_t *nodes, int32_t x) {
  int64_t u = erg_q20_product(x, Q20(1.702)), a = u < 0 ? -u : u;
  int64_t s = a >= Q20(8.0) ? Q20(1.0) : erg_chord_q20(nodes, a, 17);
  return (int32_t)erg_q20_product(x, u < 0 ? Q20(1.0) - s : s);
}

/* x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (same source); the tanh is 64 chords of [0, 4], 1 beyond. |x| >= 4 is
 * beyond already: sqrt(2/pi) (4 + 0.044715 * 64) = 5.5. */
static long double tanh_real(long double x) {
  return x / 2 * (1 + tanhl(0.797884560802865355879892119868763737L * (x + 0.044715L * x * x * x)));
}
static void tanh_nodes(int32_t *nodes) {
  for (int i = 0; i <= 64; i++) nodes[i] = (int32_t)lrintl(0x1p20L * tanhl(i / 16.0L));
}
static int32_t by_tanh(const int32_t *nodes, int32_t x) {
  int64_t v = erg_q20_clamp(x, Q20(-4.0), Q20(4.0));
  int64_t cube = erg_q20_product(erg_q20_product(v, v), v);
  int64_t u = erg_q20_product(v + erg_q20_product(cube, Q20(0.044715)), Q20(0.7978845608028654));
  int64_t a = u < 0 ? -u : u, t = a >= Q20(4.0) ? Q20(1.0) : erg_chord_q20(nodes, a, 16);
  return (int32_t)erg_round_shift((int64_t)x * (Q20(1.0) + (u < 0 ? -t : t)), 21);
}

/* i-GELU (Kim et al. 2021, I-BERT): x/2 (1 + L(x / sqrt 2)), L(u) = sgn(u) (a (min(|u|, -b) + b)^2 + 1). */
static long double i_gelu_real(long double x) {
  long double u = x * 0.707106781186547524400844362104849039L, m = fminl(fabsl(u), 1.769L) - 1.769L;
  return x / 2 * (1 + copysignl(1 - 0.2888L * m * m, u));
}
static int32_t i_gelu(const int32_t *nodes, int32_t x) {
  (void)nodes;
  int64_t u = erg_q20_product(x < 0 ? -(int64_t)x : x, Q20(0.7071067811865476));
  int64_t m = (u < Q20(1.769) ? u : Q20(1.769)) - Q20(1.769);
  int64_t l = Q20(1.0) - erg_q20_product(erg_q20_product(m, m), Q20(0.2888));
  return (int32_t)erg_round_shift((int64_t)x * (Q20(1.0) + (x < 0 ? -l : l)), 21);
}

/* x clamp(1.702 x + 3, 0, 6)/6: the hard form of the first. */
static long double hard_real(long double x) {
  return x * erg_hard_sigmoid_real(1.702L * x);
}
static int32_t hard(const int32_t *nodes, int32_t x) {
  (void)nodes;
  int64_t u = erg_q20_clamp(erg_q20_product(x, Q20(1.702)), INT32_MIN, INT32_MAX);
  return (int32_t)erg_q20_product(x, erg_hard_sigmoid_q20((int32_t)u));
}

static const erg_gate_form forms[] = {
    {.name = "hard",
     .help = "x clamp(1.702x + 3, 0, 6)/6",
     .real = hard_real,
     .fixed = hard,
     .cost = {.adds = 4, .shifts = 3, .multiplies = 3, .compares = 4}},
    {.name = "sigmoid-1.702",
     .help = "x sigmoid(1.702x); in integers by 64 chords of the sigmoid",
     .real = sigmoid_real,
     .fixed = sigmoid,
     .build = sigmoid_nodes,
     .cost = {.adds = 7, .shifts = 4, .multiplies = 3, .compares = 1, .words = 65}},
    {.name = "i-gelu",
     .help = "second-order polynomial of erf (I-BERT 2021)",
     .real = i_gelu_real,
     .fixed = i_gelu,
     .cost = {.adds = 9, .shifts = 4, .multiplies = 4, .compares = 1}},
    {.name = "tanh",
     .help = "x/2 (1 + tanh(0.79788(x + 0.044715x^3))); in integers by 64 chords of the tanh",
     .real = tanh_real,
     .fixed = by_tanh,
     .build = tanh_nodes,
     .cost = {.adds = 12, .shifts = 7, .multiplies = 6, .compares = 3, .words = 65}},
    ERG_CHORDS(16, "16 chords"),
    ERG_CHORDS(32, "32 chords"),
    ERG_CHORDS(64, "64 chords"),
};

static const erg_gate gelu = {.name = "gelu",
                              .help = "x/2 (1 + erf(x/sqrt 2)), exact",
                              .exact = exact,
                              .symmetry = ERG_GATE_RAMP,
                              .limit = 4,
                              .out_low = -0.16997120747990369, /* at x = -0.7517916 */
                              .out_high = 4,
                              .below_argument = true,
                              ERG_FORMS(forms)};
ERG_REGISTER(erg_gate, gelu);
