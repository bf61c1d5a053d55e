/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A way to the server that is narrow, long and uneven, as a mobile one is: the tests' own relay
 * stands between the element and its peer. */
#include "narrow-way.h"
#include "peer-fixture.h"
#include "../server/relay.h"

typedef struct {
  Invariants *invariants;
  Peer *peer;
  FalRelay *relay;
  Fixture *f;
} Path;

static Path *
path_new (const PeerConfig *config, const FalRelayOptions *network, const gchar *properties,
    gboolean live)
{
  Path *path = g_new0 (Path, 1);
  FalRelayOptions options = *network;
  g_autofree gchar *target = NULL, *own = NULL, *description = NULL;

  path->invariants = invariants_new ();
  path->peer = peer_new (config);
  options.target = target = g_strdup_printf ("127.0.0.1:%u", peer_get_port (path->peer));
  path->relay = fal_relay_new (&options);
  own = g_strdup_printf (
      "%s base-uri=ws://127.0.0.1:%u", properties, fal_relay_get_port (path->relay));
  description = peer_fixture_describe (path->peer, own);
  path->f = fixture_new_from (description, live);
  invariants_begin (path->invariants, path->f, 0, 0);
  return path;
}

static void
path_free (Path *path)
{
  invariants_stop (path->invariants);
  fixture_free (path->f);
  fal_relay_free (path->relay);
  peer_free (path->peer);
  invariants_free (path->invariants);
  g_free (path);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Path, path_free)

static void
end_stream (Path *path)
{
  fixture_push_end (path->f);
  WAIT_UNTIL (path->f->element, invariants_is_over (path->invariants));
}

/* Over one connection, without a word. */
static void
check_all_was_answered (Path *path)
{
  g_assert_cmpuint (fixture_stat (path->f, "answered"), ==, fixture_stat (path->f, "frames-sent"));
  g_assert_cmpuint (fal_relay_get_connections (path->relay), ==, 1);
  fixture_expect_no_message (path->f);
}

/* ---- narrow ---- */

static void
test_a_megabit_a_second_costs_frames_and_not_time (void)
{
  static const PeerConfig behaves = { PEER_DOOR_OPEN };
  const FalRelayOptions network = { .round_trip_ms = 40, .up_rate = 1000000, .down_rate = 1000000 };
  g_autoptr (Path) path = path_new (&behaves, &network, "quality=90", TRUE);

  narrow_way_check (path->f, path->invariants);
  check_all_was_answered (path);
}

/* ---- uneven ---- */

/* 100 ms each way, 50 more or less. Packets that overtake others wait for them in TCP, and so does
 * what comes through the relay. */
static const FalRelayOptions uneven = { .round_trip_ms = 200, .jitter_ms = 50 };

/* The model, too, answers in another order than it was asked. */
#define TWO_TURNED(n)                                                                              \
  { PEER_AWAIT }, { PEER_AWAIT }, { PEER_ANSWER, n + 1 },                                          \
  {                                                                                                \
    PEER_ANSWER, n                                                                                 \
  }

static const PeerStep turns_pairs[] = { { PEER_UPGRADE }, TWO_TURNED (0), TWO_TURNED (2),
  TWO_TURNED (4), TWO_TURNED (6), { PEER_SERVE }, { PEER_END } };

static void
test_a_file_is_answered_whole_and_in_order (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, turns_pairs };
  g_autoptr (Path) path = path_new (&config, &uneven, "max-in-flight=4", FALSE);

  fixture_set_size (path->f, FRAME_SIZE, FRAME_SIZE);
  for (guint n = 0; n < 24; n++)
    fixture_push (path->f, invariants_make_frame (n));
  end_stream (path);
  g_assert_cmpuint (invariants_get_good (path->invariants), ==, 24);
  g_assert_cmpuint (fixture_stat (path->f, "results-late"), ==, 0);
  check_all_was_answered (path);
}

static void
test_each_frame_of_a_camera_that_was_sent_is_answered (void)
{
  static const PeerConfig behaves = { PEER_DOOR_OPEN };
  g_autoptr (Path) path = path_new (&behaves, &uneven, "", TRUE);
  gint64 began = g_get_monotonic_time ();

  fixture_set_size (path->f, FRAME_SIZE, FRAME_SIZE);
  for (guint n = 0; n < 60; n++) {
    pace_until (began + n * G_USEC_PER_SEC / 30);
    fixture_push (path->f, invariants_make_frame (n));
  }
  end_stream (path);
  g_test_message ("%u of 60 frames sent", (guint) fixture_stat (path->f, "frames-sent"));
  g_assert_cmpuint (invariants_get_newest (path->invariants), ==, 59);
  g_assert_cmpuint (
      invariants_get_good (path->invariants), ==, fixture_stat (path->f, "frames-sent"));
  check_all_was_answered (path);
}

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/poor-networks/" #name, test_##name)
  ADD (a_megabit_a_second_costs_frames_and_not_time);
  ADD (a_file_is_answered_whole_and_in_order);
  ADD (each_frame_of_a_camera_that_was_sent_is_answered);
  return g_test_run ();
}
