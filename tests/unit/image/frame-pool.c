/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that is used again, and what takes its place where the process has no file descriptor
 * left. */
#include "fal/image/frame-pool.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define SIZE (16 * 16 * 3)

static gpointer
take_memory (FalFramePool *pool)
{
  g_autoptr (GstBuffer) buffer = fal_frame_pool_acquire (pool);
  GstMapInfo map;

  g_assert_nonnull (buffer);
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, SIZE);
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READWRITE));
  gst_buffer_unmap (buffer, &map);
  return map.data;
}

static void
test_memory_is_used_again (void)
{
  g_autoptr (FalFramePool) pool = fal_frame_pool_new (SIZE);
  gpointer first = take_memory (pool);

  g_assert_true (take_memory (pool) == first);
}

static void
test_a_buffer_outlives_its_pool (void)
{
  FalFramePool *pool = fal_frame_pool_new (SIZE);
  GstBuffer *buffer = fal_frame_pool_acquire (pool);

  fal_frame_pool_free (pool);
  gst_buffer_memset (buffer, 0, 7, SIZE);
  gst_buffer_unref (buffer);
}

/* The lowest number that a descriptor could have now becomes the limit. */
static void
use_up_descriptors (struct rlimit *before)
{
  struct rlimit limit;
  gint lowest = open ("/dev/null", O_RDONLY);

  g_assert_cmpint (lowest, >=, 0);
  close (lowest);
  getrlimit (RLIMIT_NOFILE, before);
  limit = *before;
  limit.rlim_cur = lowest;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  g_assert_cmpint (open ("/dev/null", O_RDONLY), ==, -1);
}

static void
test_frames_have_memory_without_a_descriptor (void)
{
  g_autoptr (FalFramePool) pool = NULL;
  struct rlimit before;

  use_up_descriptors (&before);
  pool = fal_frame_pool_new (SIZE);
  take_memory (pool);
  take_memory (pool);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/frame-pool/" #name, test_##name)
  ADD (memory_is_used_again);
  ADD (a_buffer_outlives_its_pool);
  ADD (frames_have_memory_without_a_descriptor);
  return g_test_run ();
}
