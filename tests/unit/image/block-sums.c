/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sums are those of a loop that nobody made fast, with and without vector code. */
#include <fal/image/block-sums.h>

#define N 37 /* blocks: no round number */
#define STEPS 8
#define SIZE (N * FAL_BLOCK_SUMS_SIDE * STEPS)

static guint8 bytes[16 * SIZE];

static void
fill (guint8 *data, gsize n, guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);

  for (gsize i = 0; i < n; i++)
    data[i] = g_rand_int_range (rand, 0, 8) == 0 ? 255 : g_rand_int (rand);
}

static void
test_rows_are_summed_up_by_columns (void)
{
  gint16 columns[SIZE], plain[SIZE];

  fill (bytes, sizeof bytes, 1);
  for (guint rows = 1; rows <= 16; rows++) {
    fal_block_sums_add_rows (columns, bytes, SIZE, rows, SIZE);
    fal_block_sums_add_rows_plainly (plain, bytes, SIZE, rows, SIZE);
    for (gsize i = 0; i < SIZE; i++) {
      gint sum = 0;

      for (guint y = 0; y < rows; y++)
        sum += bytes[y * SIZE + i];
      g_assert_cmpint (columns[i], ==, sum);
      g_assert_cmpint (plain[i], ==, sum);
    }
  }
}

static void
test_wide_rows_are_shifted (void)
{
  static guint16 numbers[4 * SIZE];
  gint16 columns[SIZE];

  fill ((guint8 *) numbers, sizeof numbers, 2);
  fal_block_sums_add_wide_rows (columns, numbers, SIZE * sizeof *numbers, 4, 8, SIZE);
  for (gsize i = 0; i < SIZE; i++)
    g_assert_cmpint (columns[i], ==,
        (numbers[i] >> 8) + (numbers[SIZE + i] >> 8) + (numbers[2 * SIZE + i] >> 8) +
            (numbers[3 * SIZE + i] >> 8));
}

static gint
scaled (gint sum, const FalBlockScale *scale)
{
  return CLAMP (((sum >> 8) * scale->gain >> 10) - scale->offset, 0, scale->most);
}

static void
test_means_are_weighted_and_scaled (void)
{
  const FalBlockScale scales[] = { { 1024, 0, 8160 }, { 1192, 596, 8160 }, { 4096, 0, 4000 } };
  gint16 columns[SIZE], weights[FAL_BLOCK_SUMS_SIDE * STEPS], means[N], plain[N];

  fill (bytes, sizeof bytes, 3);
  fal_block_sums_add_rows (columns, bytes, SIZE, 4, SIZE);
  for (guint i = 0; i < G_N_ELEMENTS (weights); i++)
    weights[i] = i * 37 % 151;
  for (guint step = 1; step <= STEPS; step++) {
    const FalBlockScale *scale = &scales[step % G_N_ELEMENTS (scales)];

    fal_block_sums_add_up (means, columns, step, weights, scale, N);
    fal_block_sums_add_up_plainly (plain, columns, step, weights, scale, N);
    for (guint i = 0; i < N; i++) {
      gint sum = 0;

      for (guint k = 0; k < FAL_BLOCK_SUMS_SIDE * step; k++)
        sum += columns[i * FAL_BLOCK_SUMS_SIDE * step + k] * weights[k];
      g_assert_cmpint (means[i], ==, scaled (sum, scale));
      g_assert_cmpint (plain[i], ==, means[i]);
    }
  }
}

static void
test_bytes_need_no_columns (void)
{
  const FalBlockScale scale = { 1192, 596, 8160 };
  const gsize stride = N * FAL_BLOCK_SUMS_SIDE + 3;
  gint16 columns[N * FAL_BLOCK_SUMS_SIDE], means[N], fast[N], plain[N];
  const gint16 weights[] = { 256, 256, 256, 256, 256, 256, 256, 256 };

  fill (bytes, sizeof bytes, 4);
  fal_block_sums_add_rows (columns, bytes, stride, 4, G_N_ELEMENTS (columns));
  fal_block_sums_add_up (means, columns, 1, weights, &scale, N);
  fal_block_sums_add_bytes (fast, bytes, stride, &scale, N);
  fal_block_sums_add_bytes_plainly (plain, bytes, stride, &scale, N);
  g_assert_cmpmem (fast, sizeof fast, means, sizeof means);
  g_assert_cmpmem (plain, sizeof plain, means, sizeof means);
}

static void
test_rows_of_means_are_compared (void)
{
  gint16 before[N], after[N], off[N], plain[N];
  guint16 sums[N], plain_sums[N];
  guint most = 0;

  fill (bytes, sizeof bytes, 5);
  for (guint i = 0; i < N; i++) {
    before[i] = bytes[i] * 32;
    after[i] = bytes[N + i] * 32;
  }
  fal_block_sums_differ (off, before, after, 4300, -77, N);
  fal_block_sums_differ_plainly (plain, before, after, 4300, -77, N);
  for (guint i = 0; i < N; i++)
    g_assert_cmpint (off[i], ==, ABS (after[i] - ((before[i] * 4300 + 2048) >> 12) + 77));
  g_assert_cmpmem (off, sizeof off, plain, sizeof plain);
  g_assert_cmpuint (fal_block_sums_join (sums, off, before, N - 1), ==,
      fal_block_sums_join_plainly (plain_sums, off, before, N - 1));
  for (guint i = 0; i < N - 1; i++) {
    g_assert_cmpuint (sums[i], ==, off[i] + off[i + 1] + before[i] + before[i + 1]);
    g_assert_cmpuint (plain_sums[i], ==, sums[i]);
    most = MAX (most, sums[i]);
  }
  g_assert_cmpuint (fal_block_sums_join (sums, off, before, N - 1), ==, most);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define TEST(name) g_test_add_func ("/block-sums/" #name, test_##name)
  TEST (rows_are_summed_up_by_columns);
  TEST (wide_rows_are_shifted);
  TEST (means_are_weighted_and_scaled);
  TEST (bytes_need_no_columns);
  TEST (rows_of_means_are_compared);
  return g_test_run ();
}
