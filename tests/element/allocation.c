/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What upstream may allocate, what downstream gets of it, and when upstream has it back. */
#include "fixture.h"

#define SIZE 32
#define PLAIN_STRIDE (SIZE * 3)
#define PADDED_STRIDE 128

/* ---- what upstream is told ---- */

static GstQuery *
ask (Fixture *f, gboolean *answered)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (f->harness->srcpad);
  GstQuery *query = gst_query_new_allocation (caps, TRUE);

  *answered = gst_pad_peer_query (f->harness->srcpad, query);
  return query;
}

static gboolean
allows_padding (GstQuery *query)
{
  return gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
}

static void
test_upstream_is_told_how_many_frames_are_held (void)
{
  static const struct {
    gboolean live;
    const gchar *properties;
    guint least; /* those that wait, are in flight and may go again, and one that is encoded */
  } rows[] = {
    { TRUE, "", 2 },
    { TRUE, "max-buffering=8 max-in-flight=5", 9 },
    { FALSE, "", 4 },
    { FALSE, "max-buffering=3 max-in-flight=5", 9 },
    { TRUE, "max-buffering=3 max-in-flight=5 leaky=no", 9 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) f = rows[i].live ? fixture_new_live (NULL, rows[i].properties)
                                         : fixture_new (NULL, rows[i].properties);
    g_autoptr (GstQuery) query = NULL;
    g_autoptr (GstBufferPool) pool = NULL;
    guint size, least, most;
    gboolean answered;

    fixture_set_size (f, SIZE, SIZE);
    fixture_push_and_pull (f, 0); /* so that it is known whether this is live */
    query = ask (f, &answered);
    g_assert_true (answered);
    g_assert_true (allows_padding (query));
    g_assert_cmpuint (gst_query_get_n_allocation_pools (query), ==, 1);
    gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &least, &most);
    g_assert_null (pool);
    g_assert_cmpuint (size, ==, SIZE * PLAIN_STRIDE);
    g_assert_cmpuint (least, ==, rows[i].least);
    g_assert_cmpuint (most, ==, 0);
  }
}

static void
take_padding (Fixture *f)
{
  gst_harness_add_propose_allocation_meta (f->harness, GST_VIDEO_META_API_TYPE, NULL);
}

/* It has been told the caps before it is asked. */
static GstPadProbeReturn
check_caps (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY (info);
  g_autoptr (GstCaps) current = gst_pad_get_current_caps (pad);
  GstCaps *caps;

  if (GST_QUERY_TYPE (query) != GST_QUERY_ALLOCATION)
    return GST_PAD_PROBE_OK;
  gst_query_parse_allocation (query, &caps, NULL);
  g_assert_true (gst_caps_is_equal (caps, current));
  ++*(guint *) n;
  return GST_PAD_PROBE_OK;
}

static void
test_where_frames_pass_downstream_is_asked (void)
{
  for (guint takes = 0; takes < 2; takes++) {
    g_autoptr (Fixture) f = fixture_new (NULL, "enabled=false");
    g_autoptr (GstQuery) query = NULL;
    gboolean answered;
    guint n = 0;

    gst_pad_add_probe (f->harness->sinkpad,
        GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH, check_caps, &n, NULL);
    if (takes)
      take_padding (f);
    fixture_set_size (f, SIZE, SIZE);
    query = ask (f, &answered);
    g_assert_true (answered);
    g_assert_cmpuint (n, ==, 1);
    g_assert_cmpint (allows_padding (query), ==, takes);
    g_assert_cmpuint (gst_query_get_n_allocation_pools (query), ==, 0);
  }
}

/* Nobody says of what. */
static void
test_an_allocation_without_caps_is_of_no_size (void)
{
  for (guint enabled = 0; enabled < 2; enabled++) {
    g_autoptr (Fixture) f = fixture_new (NULL, enabled ? NULL : "enabled=false");
    g_autoptr (GstQuery) query = gst_query_new_allocation (NULL, TRUE);

    fixture_set_size (f, SIZE, SIZE);
    g_assert_cmpint (gst_pad_peer_query (f->harness->srcpad, query), ==, enabled);
    g_assert_cmpuint (gst_query_get_n_allocation_pools (query), ==, 0);
  }
}

/* A picture in a form that downstream does not take passes decoded. */
static void
test_downstream_is_not_asked_about_what_it_does_not_get (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "enabled=false");
  g_autoptr (GstQuery) query = NULL;
  gboolean answered;

  gst_harness_set_sink_caps_str (f->harness, "video/x-raw");
  gst_harness_set_src_caps_str (f->harness, "image/jpeg");
  query = ask (f, &answered);
  g_assert_false (answered);
}

/* ---- what downstream gets ---- */

/* Frame @n, with rows further apart. */
static GstBuffer *
make_padded (guint colour, guint n)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = { 0 };
  gint strides[GST_VIDEO_MAX_PLANES] = { PADDED_STRIDE };
  g_autoptr (GstBuffer) plain = fixture_frame (SIZE, SIZE, colour, n);
  GstBuffer *padded = gst_buffer_new_allocate (NULL, SIZE * PADDED_STRIDE, NULL);
  GstMapInfo map;

  gst_buffer_memset (padded, 0, 0x55, -1);
  g_assert_true (gst_buffer_map (plain, &map, GST_MAP_READ));
  for (guint y = 0; y < SIZE; y++)
    gst_buffer_fill (padded, y * PADDED_STRIDE, map.data + y * PLAIN_STRIDE, PLAIN_STRIDE);
  gst_buffer_unmap (plain, &map);
  gst_buffer_copy_into (padded, plain, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  gst_buffer_add_video_meta_full (
      padded, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, SIZE, SIZE, 1, offsets, strides);
  return padded;
}

static void
check_plain (GstBuffer *buffer, guint colour, guint n)
{
  g_autoptr (GstBuffer) plain = fixture_frame (SIZE, SIZE, colour, n);
  GstMapInfo map;

  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, GST_BUFFER_PTS (plain));
  g_assert_cmpuint (GST_BUFFER_DURATION (buffer), ==, GST_BUFFER_DURATION (plain));
  g_assert_null (gst_buffer_get_video_meta (buffer));
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, SIZE * PLAIN_STRIDE);
  g_assert_true (gst_buffer_map (plain, &map, GST_MAP_READ));
  g_assert_cmpint (gst_buffer_memcmp (buffer, 0, map.data, map.size), ==, 0);
  gst_buffer_unmap (plain, &map);
}

static void
push_padded (Fixture *f, guint n, gboolean padding_arrives)
{
  g_autoptr (GstBuffer) buffer = NULL;

  fixture_push (f, make_padded (0x204060, n));
  buffer = fixture_pull (f);
  if (!padding_arrives) {
    check_plain (buffer, 0x204060, n);
    return;
  }
  g_assert_cmpint (gst_buffer_get_video_meta (buffer)->stride[0], ==, PADDED_STRIDE);
  assert_colour (fixture_colour (f, buffer), 0x204060, 0);
}

static Fixture *
pass_from_the_start (void)
{
  return fixture_new (NULL, "enabled=false");
}

/* Upstream was told that it may pad. */
static Fixture *
switch_off (void)
{
  Fixture *f = fixture_new (NULL, NULL);

  fixture_set_size (f, SIZE, SIZE);
  fixture_push_and_pull (f, 0);
  g_object_set (f->element, "enabled", FALSE, NULL);
  return f;
}

/* Until the first result frames still pass. */
static Fixture *
switch_on (void)
{
  Fixture *f = fixture_new_live (NULL, "enabled=false");

  gst_harness_use_systemclock (f->harness);
  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, SIZE, SIZE);
  fixture_push_and_pull (f, 0);
  g_object_set (f->element, "enabled", TRUE, NULL);
  return f;
}

static Fixture *(*const ways[]) (void) = { pass_from_the_start, switch_off, switch_on };

static void
test_padding_passes_only_to_who_reads_it (void)
{
  for (guint way = 0; way < G_N_ELEMENTS (ways); way++)
    for (guint takes = 0; takes < 2; takes++) {
      g_autoptr (Fixture) f = ways[way]();

      if (takes)
        take_padding (f);
      fixture_set_size (f, SIZE, SIZE);
      for (guint n = 1; n < 4; n++)
        push_padded (f, n, takes);
    }
}

static void
test_downstream_is_asked_again_once_it_is_another (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "enabled=false");

  fixture_set_size (f, SIZE, SIZE);
  push_padded (f, 0, FALSE);
  take_padding (f);
  push_padded (f, 1, FALSE); /* nobody knows yet */
  g_assert_true (gst_harness_push_upstream_event (f->harness, gst_event_new_reconfigure ()));
  push_padded (f, 2, TRUE);
}

/* What is as the caps say needs no copy. */
static void
test_plain_frames_pass_as_they_are (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "enabled=false");
  GstBuffer *frame = fixture_frame (SIZE, SIZE, 0x204060, 0);
  const GstMemory *memory = gst_buffer_peek_memory (frame, 0);
  g_autoptr (GstBuffer) buffer = NULL;

  gst_buffer_add_video_meta (frame, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, SIZE, SIZE);
  fixture_set_size (f, SIZE, SIZE);
  fixture_push (f, frame);
  buffer = fixture_pull (f);
  g_assert_true (gst_buffer_peek_memory (buffer, 0) == memory);
}

static void
test_a_fallback_of_padded_frames_is_plain (void)
{
  g_autoptr (Fixture) f =
      fixture_new_live (NULL, "fallback=passthrough fallback-timeout=1 timestamp-mode=input");
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstVideoInfo info;

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, SIZE, SIZE);
  fixture_push (f, make_padded (0x204060, 0));
  buffer = fixture_pull (f);
  caps = fixture_get_caps (f);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_cmpuint (gst_buffer_get_size (buffer), ==, GST_VIDEO_INFO_SIZE (&info));
  g_assert_null (gst_buffer_get_video_meta (buffer));
  assert_colour (fixture_colour (f, buffer), 0x204060, 8);
}

/* ---- pools with few buffers ---- */

static GstBufferPool *
make_pool (guint least, guint most)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, NULL, SIZE * PLAIN_STRIDE, least, most);
  g_assert_true (gst_buffer_pool_set_config (pool, config));
  g_assert_true (gst_buffer_pool_set_active (pool, TRUE));
  return pool;
}

/* NULL: the pool has none. */
static GstBuffer *
try_acquire (GstBufferPool *pool)
{
  GstBufferPoolAcquireParams params = { .flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT };
  GstBuffer *buffer = NULL;

  gst_buffer_pool_acquire_buffer (pool, &buffer, &params);
  return buffer;
}

/* Frame @n, made in a buffer of the pool, which must have one. */
static void
push_from (Fixture *f, GstBufferPool *pool, guint colour, guint n)
{
  GstBuffer *buffer = try_acquire (pool);
  g_autoptr (GstBuffer) frame = fixture_frame (SIZE, SIZE, colour, n);
  GstMapInfo map;

  g_assert_nonnull (buffer);
  g_assert_true (gst_buffer_map (frame, &map, GST_MAP_READ));
  gst_buffer_fill (buffer, 0, map.data, map.size);
  gst_buffer_unmap (frame, &map);
  gst_buffer_copy_into (buffer, frame, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  fixture_push (f, buffer);
}

static void
free_pool (GstBufferPool *pool)
{
  gst_buffer_pool_set_active (pool, FALSE);
  gst_object_unref (pool);
}

/* Nothing here waits for it, so that downstream gets upstream's own memory. */
static void
test_a_frame_of_a_small_pool_passes_as_it_is (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "enabled=false");
  GstBufferPool *pool = make_pool (0, 1);

  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n < 3; n++) {
    GstBuffer *frame = try_acquire (pool);
    const GstMemory *memory = gst_buffer_peek_memory (frame, 0);
    g_autoptr (GstBuffer) buffer = NULL;

    GST_BUFFER_PTS (frame) = n * GST_SECOND / 30;
    fixture_push (f, frame);
    buffer = fixture_pull (f);
    g_assert_true (gst_buffer_peek_memory (buffer, 0) == memory);
  }
  free_pool (pool);
}

/* The model answers nothing: once the first frame has gone, as many are held as may be. */
static void
test_a_small_pool_does_not_run_dry_live (void)
{
  for (guint most = 1; most <= 4; most++) {
    g_autoptr (Fixture) f = fixture_new_live (NULL, "max-buffering=4 max-in-flight=1");
    GstBufferPool *pool = make_pool (0, most);

    fal_server_set_mute (f->server, TRUE);
    fixture_set_size (f, SIZE, SIZE);
    push_from (f, pool, 0, 0);
    fixture_wait_for_stat (f, "frames-sent", 1);
    for (guint n = 1; n < 20; n++)
      push_from (f, pool, 0, n);
    g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 4);
    free_pool (pool);
  }
}

/* No result is taken meanwhile. */
static void
test_a_small_pool_does_not_run_dry_in_a_file (void)
{
  static const guint colours[] = { 0x204060, 0x602040, 0x406020 };

  for (guint most = 1; most <= 4; most++) {
    g_autoptr (Fixture) f = fixture_new (NULL, "max-buffering=3 max-in-flight=2");
    GstBufferPool *pool = make_pool (0, most);

    fal_server_set_mute (f->server, TRUE);
    fixture_set_size (f, SIZE, SIZE);
    for (guint n = 0; n < 3; n++)
      push_from (f, pool, colours[n], n);
    fal_server_set_mute (f->server, FALSE);
    g_signal_emit_by_name (f->element, "reconnect");
    for (guint n = 0; n < 3; n++) {
      g_autoptr (GstBuffer) buffer = fixture_pull (f);

      assert_colour (fixture_colour (f, buffer), ~colours[n] & 0xffffff, 8);
    }
    free_pool (pool);
  }
}

/* Upstream has made it as large as it was told, and two for itself. */
static void
test_of_a_pool_that_suffices_nothing_is_copied (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "max-buffering=2 max-in-flight=1");
  GstBufferPool *pool = make_pool (5, 5);
  GstBuffer *rest[5] = { NULL };

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, SIZE, SIZE);
  fixture_push_frame (f, 0);
  fixture_wait_for_stat (f, "in-flight", 1);
  push_from (f, pool, 0, 1);
  push_from (f, pool, 0, 2);
  for (guint i = 0; i < 5; i++)
    rest[i] = try_acquire (pool);
  for (guint i = 0; i < 5; i++) {
    g_assert_cmpint (rest[i] != NULL, ==, i < 3);
    gst_clear_buffer (&rest[i]);
  }
  g_signal_emit_by_name (f->element, "clear");
  free_pool (pool);
}

/* For a composite many more frames wait than upstream has buffers for, even where it has made as
 * many as it was told. */
static void
test_no_pool_runs_dry_of_frames_that_wait_for_a_composite (void)
{
  static const guint sizes[] = { 2, 8, 16, 20 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (Fixture) f = fixture_new_live (
        NULL, "composite=over composite-frames=all latency=100000 max-in-flight=1 drain-timeout=1");
    GstBufferPool *pool = make_pool (sizes[i], sizes[i]);

    fal_server_set_mute (f->server, TRUE);
    fixture_set_size (f, SIZE, SIZE);
    push_from (f, pool, 0, 0);
    fixture_wait_for_stat (f, "frames-sent", 1);
    for (guint n = 1; n < 60; n++)
      push_from (f, pool, 0, n);
    g_assert_cmpuint (fixture_stat (f, "frames-held"), ==, 60);
    g_signal_emit_by_name (f->element, "clear");
    free_pool (pool);
  }
}

/* ---- a drain ---- */

static void
note_freed (gpointer n, GstMiniObject *memory)
{
  g_atomic_int_inc ((gint *) n);
}

static void
push_watched (Fixture *f, guint colour, guint n, gint *freed)
{
  GstBuffer *frame = fixture_frame (SIZE, SIZE, colour, n);

  gst_mini_object_weak_ref (
      GST_MINI_OBJECT_CAST (gst_buffer_peek_memory (frame, 0)), note_freed, freed);
  fixture_push (f, frame);
}

static void
drain (Fixture *f)
{
  g_autoptr (GstQuery) query = gst_query_new_drain ();

  g_assert_true (gst_pad_peer_query (f->harness->srcpad, query));
}

/* Upstream has its memory back, and what was held is still sent. */
static void
test_a_drain_lets_go (void)
{
  static const guint colours[] = { 0x204060, 0x602040, 0x406020, 0x804020 };

  for (guint live = 0; live < 2; live++) {
    const gchar *properties = "max-buffering=3 max-in-flight=1";
    g_autoptr (Fixture) f =
        live ? fixture_new_live (NULL, properties) : fixture_new (NULL, properties);
    gint freed = 0;

    fal_server_set_mute (f->server, TRUE);
    fixture_set_size (f, SIZE, SIZE);
    push_watched (f, colours[0], 0, &freed);
    fixture_wait_for_stat (f, "in-flight", 1);
    for (guint n = 1; n < 4; n++)
      push_watched (f, colours[n], n, &freed);
    g_assert_cmpint (g_atomic_int_get (&freed), <, 4);
    drain (f);
    g_assert_cmpint (g_atomic_int_get (&freed), ==, 4);
    drain (f); /* once more for nothing */
    fal_server_set_mute (f->server, FALSE);
    g_signal_emit_by_name (f->element, "reconnect");
    for (guint n = live ? 1 : 0; n < 4; n++) {
      g_autoptr (GstBuffer) buffer = fixture_pull (f);

      assert_colour (fixture_colour (f, buffer), ~colours[n] & 0xffffff, 8);
    }
  }
}

/* Results may wait for long; the newest frame may be sent again by an application. */
static void
test_a_drain_lets_go_of_frames_that_wait_for_a_composite (void)
{
  g_autoptr (Fixture) f = fixture_new_live (
      NULL, "composite=over composite-frames=all latency=100000 max-in-flight=1 drain-timeout=1");
  g_autoptr (GstQuery) query = gst_query_new_drain ();
  GstBufferPool *pool = make_pool (20, 20);
  GstBuffer *rest[20];

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n < 10; n++)
    push_from (f, pool, 0, n);
  g_assert_true (gst_pad_peer_query (f->harness->srcpad, query));
  for (guint i = 0; i < G_N_ELEMENTS (rest); i++) {
    rest[i] = try_acquire (pool);
    g_assert_nonnull (rest[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (rest); i++)
    gst_buffer_unref (rest[i]);
  g_assert_cmpuint (fixture_stat (f, "frames-held"), ==, 10);
  free_pool (pool);
}

static void
test_only_the_newest_frame_is_held_once_all_are_answered (void)
{
  for (guint live = 0; live < 2; live++) {
    const gchar *properties = "max-buffering=3 max-in-flight=2 request-id=always leaky=no";
    g_autoptr (Fixture) f =
        live ? fixture_new_live (NULL, properties) : fixture_new (NULL, properties);
    gulong block;
    gint freed = 0;

    fixture_set_size (f, SIZE, SIZE);
    block = fixture_block_downstream (f);
    for (guint n = 0; n < 3; n++)
      push_watched (f, 0, n, &freed);
    fixture_wait_for_stat (f, "answered", 3);
    WAIT_UNTIL (f->element, g_atomic_int_get (&freed) == 2);
    gst_pad_remove_probe (f->harness->sinkpad, block);
    for (guint n = 0; n < 3; n++)
      gst_buffer_unref (fixture_pull (f));
  }
}

typedef struct {
  gint frames, frames_at_drain; /* the latter −1: no drain came */
} Passed;

static GstPadProbeReturn
note_passed (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Passed *passed = data;

  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    passed->frames++;
  else if (GST_QUERY_TYPE (GST_PAD_PROBE_INFO_QUERY (info)) == GST_QUERY_DRAIN)
    passed->frames_at_drain = passed->frames;
  return GST_PAD_PROBE_OK;
}

/* Downstream, which has what passed, lets go of it, too. */
static void
test_a_drain_passes_behind_the_frames (void)
{
  for (guint enabled = 0; enabled < 2; enabled++) {
    g_autoptr (Fixture) f = fixture_new (NULL, enabled ? "" : "enabled=false");
    Passed passed = { 0, -1 };

    gst_pad_add_probe (f->harness->sinkpad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH,
        note_passed, &passed, NULL);
    fixture_set_size (f, SIZE, SIZE);
    fixture_push_frames (f, 0, 3);
    drain (f);
    g_assert_cmpint (passed.frames_at_drain, ==, enabled ? -1 : 4);
    for (guint n = 0; n < 4; n++)
      gst_buffer_unref (fixture_pull (f));
  }
}

/* ---- a query that waits ---- */

static gpointer
ask_in_thread (gpointer data)
{
  Fixture *f = data;
  gboolean answered;

  gst_query_unref (ask (f, &answered));
  return NULL;
}

static void
enable (Fixture *f)
{
  g_object_set (f->element, "enabled", TRUE, NULL);
}

static void
flush (Fixture *f)
{
  fixture_push_event (f, gst_event_new_flush_start ());
}

/* Sinks go first. */
static void
stop (Fixture *f)
{
  gst_pad_set_active (f->harness->sinkpad, FALSE);
  gst_element_set_state (f->element, GST_STATE_NULL);
}

/* A frame before it does not go out. */
static void
test_a_query_waits_no_longer_than_frames_pass (void)
{
  void (*const ends[]) (Fixture * f) = { enable, flush, stop };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autoptr (Fixture) f = fixture_new (NULL, "enabled=false");
    gulong block;
    GThread *thread;

    fixture_set_size (f, SIZE, SIZE);
    fixture_push_and_pull (f, 0);
    block = fixture_block_downstream (f);
    fixture_push_frame (f, 1);
    fixture_wait_until_blocked (f);
    thread = g_thread_new ("query", ask_in_thread, f);
    pace_for (20 * G_TIME_SPAN_MILLISECOND); /* so that it mostly waits by now */
    ends[i](f);
    g_thread_join (thread);
    if (ends[i] != stop)
      gst_pad_remove_probe (f->harness->sinkpad, block);
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/allocation/" #name, test_##name)
  ADD (upstream_is_told_how_many_frames_are_held);
  ADD (where_frames_pass_downstream_is_asked);
  ADD (downstream_is_not_asked_about_what_it_does_not_get);
  ADD (padding_passes_only_to_who_reads_it);
  ADD (downstream_is_asked_again_once_it_is_another);
  ADD (plain_frames_pass_as_they_are);
  ADD (a_fallback_of_padded_frames_is_plain);
  ADD (a_small_pool_does_not_run_dry_live);
  ADD (a_small_pool_does_not_run_dry_in_a_file);
  ADD (of_a_pool_that_suffices_nothing_is_copied);
  ADD (no_pool_runs_dry_of_frames_that_wait_for_a_composite);
  ADD (only_the_newest_frame_is_held_once_all_are_answered);
  ADD (a_drain_lets_go);
  ADD (a_drain_lets_go_of_frames_that_wait_for_a_composite);
  ADD (a_drain_passes_behind_the_frames);
  ADD (a_query_waits_no_longer_than_frames_pass);
  ADD (an_allocation_without_caps_is_of_no_size);
  ADD (a_frame_of_a_small_pool_passes_as_it_is);
  return fixture_run ();
}
