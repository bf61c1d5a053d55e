/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay of the tests: what passes through it passes whole, in order and never too soon.
 * Upper bounds only tell that it passes at all. */
#include "relay.h"
#include <string.h>

#define WATCHDOG 20 /* seconds, for each operation */
#define MS G_TIME_SPAN_MILLISECOND
#define SOON (5 * G_TIME_SPAN_SECOND)

/* The two ends of a connection through a relay. */
typedef struct {
  GSocketListener *listener;
  FalRelay *relay;
  GSocketConnection *client, *server;
} Link;

static GSocketConnection *
connect_to (guint port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GSocketConnection *connection;

  g_socket_client_set_timeout (client, WATCHDOG);
  connection = g_socket_client_connect_to_host (client, "127.0.0.1", port, NULL, NULL);
  g_assert_nonnull (connection);
  return connection;
}

static void
link_open (Link *link, FalRelayOptions options)
{
  g_autofree gchar *target = NULL;
  g_autoptr (GError) error = NULL;

  link->listener = g_socket_listener_new ();
  target = g_strdup_printf (
      "127.0.0.1:%u", g_socket_listener_add_any_inet_port (link->listener, NULL, &error));
  g_assert_no_error (error);
  options.target = target;
  link->relay = fal_relay_new (&options);
  link->client = connect_to (fal_relay_get_port (link->relay));
  link->server = g_socket_listener_accept (link->listener, NULL, NULL, &error);
  g_assert_no_error (error);
  g_socket_set_timeout (g_socket_connection_get_socket (link->server), WATCHDOG);
}

static void
link_close (Link *link)
{
  g_clear_object (&link->client);
  g_clear_object (&link->server);
  g_clear_pointer (&link->relay, fal_relay_free);
  g_clear_object (&link->listener);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Link, link_close)

static void
put (GSocketConnection *to, gconstpointer data, gsize size)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (
      g_io_stream_get_output_stream (G_IO_STREAM (to)), data, size, NULL, NULL, &error);
  g_assert_no_error (error);
}

/* All that comes up to @size bytes, or to the end. */
static GByteArray *
get (GSocketConnection *from, gsize size)
{
  GByteArray *bytes = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  gsize n;

  g_byte_array_set_size (bytes, size);
  g_input_stream_read_all (
      g_io_stream_get_input_stream (G_IO_STREAM (from)), bytes->data, size, &n, NULL, &error);
  g_assert_no_error (error);
  g_byte_array_set_size (bytes, n);
  return bytes;
}

static void
assert_end (GSocketConnection *from)
{
  g_autoptr (GByteArray) rest = get (from, 1);

  g_assert_cmpuint (rest->len, ==, 0);
}

/* How long a byte takes there and another one back, µs. */
static gint64
time_round_trip (Link *link)
{
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GByteArray) there = NULL, back = NULL;

  put (link->client, "a", 1);
  there = get (link->server, 1);
  put (link->server, "b", 1);
  back = get (link->client, 1);
  g_assert_cmpmem (there->data, there->len, "a", 1);
  g_assert_cmpmem (back->data, back->len, "b", 1);
  return g_get_monotonic_time () - begin;
}

/* ---- whole and in order ---- */

typedef struct {
  GSocketConnection *to;
  GBytes *bytes;
} Writer;

static gpointer
write_all (gpointer data)
{
  const Writer *writer = data;
  gsize size;
  gconstpointer bytes = g_bytes_get_data (writer->bytes, &size);

  put (writer->to, bytes, size);
  g_socket_shutdown (g_socket_connection_get_socket (writer->to), FALSE, TRUE, NULL);
  return NULL;
}

static GBytes *
make_noise (guint32 seed, gsize size)
{
  g_autoptr (GRand) chance = g_rand_new_with_seed (seed);
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = g_rand_int (chance);
  return g_bytes_new_take (data, size);
}

static void
check_transfer (FalRelayOptions options, gsize size)
{
  g_auto (Link) link = { 0 };
  g_autoptr (GBytes) up = make_noise (1, size), down = make_noise (2, size);
  g_autoptr (GByteArray) came_up = NULL, came_down = NULL;
  Writer near, far;
  GThread *threads[2];

  link_open (&link, options);
  near = (Writer){ link.client, up };
  far = (Writer){ link.server, down };
  threads[0] = g_thread_new ("near", write_all, &near);
  threads[1] = g_thread_new ("far", write_all, &far);
  came_up = get (link.server, size + 1);
  came_down = get (link.client, size + 1);
  g_thread_join (threads[0]);
  g_thread_join (threads[1]);
  g_assert_cmpmem (came_up->data, came_up->len, g_bytes_get_data (up, NULL), g_bytes_get_size (up));
  g_assert_cmpmem (
      came_down->data, came_down->len, g_bytes_get_data (down, NULL), g_bytes_get_size (down));
}

static void
test_bytes_pass_whole (void)
{
  check_transfer ((FalRelayOptions){ 0 }, 12 * 1024 * 1024);
}

static void
test_jitter_keeps_the_order (void)
{
  check_transfer (
      (FalRelayOptions){ .round_trip_ms = 10, .jitter_ms = 5, .up_rate = 20000000 }, 200000);
}

/* ---- never too soon ---- */

static void
test_round_trip (void)
{
  g_auto (Link) link = { 0 };

  link_open (&link, (FalRelayOptions){ .round_trip_ms = 40 });
  for (guint i = 0; i < 5; i++) {
    gint64 time = time_round_trip (&link);

    g_assert_cmpint (time, >=, 40 * MS);
    g_assert_cmpint (time, <, SOON);
  }
}

static void
test_no_round_trip (void)
{
  g_auto (Link) link = { 0 };
  gint64 least = G_MAXINT64;

  link_open (&link, (FalRelayOptions){ 0 });
  for (guint i = 0; i < 20; i++)
    least = MIN (least, time_round_trip (&link));
  g_assert_cmpint (least, <, SOON);
}

static void
test_round_trip_changes (void)
{
  g_auto (Link) link = { 0 };

  link_open (&link, (FalRelayOptions){ .round_trip_ms = 60000 });
  fal_relay_set_round_trip (link.relay, 2, 0);
  g_assert_cmpint (time_round_trip (&link), <, SOON);
  fal_relay_set_round_trip (link.relay, 30, 0);
  g_assert_cmpint (time_round_trip (&link), >=, 30 * MS);
}

static void
test_jitter_goes_so_far (void)
{
  g_auto (Link) link = { 0 };

  link_open (&link, (FalRelayOptions){ .round_trip_ms = 20, .jitter_ms = 5 });
  for (guint i = 0; i < 10; i++) {
    gint64 time = time_round_trip (&link);

    g_assert_cmpint (time, >=, 10 * MS);
    g_assert_cmpint (time, <, SOON);
  }
}

/* The last of @size bytes takes its time. */
static void
check_rate (Link *link, gboolean up, gsize size, gint64 least)
{
  g_autoptr (GBytes) noise = make_noise (3, size);
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GByteArray) came = NULL;

  put (up ? link->client : link->server, g_bytes_get_data (noise, NULL), size);
  came = get (up ? link->server : link->client, size);
  g_assert_cmpmem (came->data, came->len, g_bytes_get_data (noise, NULL), size);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, least);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, least + SOON);
}

static void
test_rate_of_each_direction (void)
{
  g_auto (Link) link = { 0 };

  link_open (&link, (FalRelayOptions){ .up_rate = 2000000, .down_rate = 8000000 });
  check_rate (&link, TRUE, 25000, 100 * MS);
  check_rate (&link, FALSE, 100000, 100 * MS);
}

static void
test_rate_and_delay_add_up (void)
{
  g_auto (Link) link = { 0 };

  link_open (&link, (FalRelayOptions){ .round_trip_ms = 60, .up_rate = 2000000 });
  check_rate (&link, TRUE, 12500, 80 * MS);
}

/* ---- ends ---- */

static void
test_an_end_is_passed_on (void)
{
  g_auto (Link) link = { 0 };
  g_autoptr (GByteArray) there = NULL, back = NULL;
  gint64 begin;

  link_open (&link, (FalRelayOptions){ .round_trip_ms = 20 });
  begin = g_get_monotonic_time ();
  put (link.client, "last", 4);
  g_socket_shutdown (g_socket_connection_get_socket (link.client), FALSE, TRUE, NULL);
  there = get (link.server, 5);
  g_assert_cmpmem (there->data, there->len, "last", 4);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, 10 * MS);
  /* The other direction is still open. */
  put (link.server, "back", 4);
  g_socket_shutdown (g_socket_connection_get_socket (link.server), FALSE, TRUE, NULL);
  back = get (link.client, 5);
  g_assert_cmpmem (back->data, back->len, "back", 4);
  g_assert_true (fal_relay_wait_until_closed (link.relay, WATCHDOG * 1000));
  g_assert_cmpuint (fal_relay_get_open (link.relay), ==, 0);
}

static void
test_nobody_at_the_target (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree gchar *target = g_strdup_printf ("127.0.0.1:%u", port);
  g_autoptr (FalRelay) relay = NULL;
  g_autoptr (GSocketConnection) near = NULL;

  g_socket_listener_close (listener);
  relay = fal_relay_new (&(FalRelayOptions){ .target = target });
  near = connect_to (fal_relay_get_port (relay));
  assert_end (near);
  g_assert_cmpuint (fal_relay_get_connections (relay), ==, 0);
}

static void
test_cut (void)
{
  g_auto (Link) link = { 0 };

  link_open (&link, (FalRelayOptions){ .round_trip_ms = 60000 });
  fal_relay_cut (link.relay, FALSE);
  assert_end (link.client);
  assert_end (link.server);
  g_assert_cmpuint (fal_relay_get_connections (link.relay), ==, 1);
  g_assert_cmpuint (fal_relay_get_open (link.relay), ==, 0);
}

static void
assert_reset (GSocketConnection *from)
{
  g_autoptr (GError) error = NULL;
  gchar byte;

  g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (from)), &byte, 1, NULL, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
}

static void
test_reset (void)
{
  g_auto (Link) link = { 0 };

  link_open (&link, (FalRelayOptions){ 0 });
  fal_relay_cut (link.relay, TRUE);
  assert_reset (link.client);
  assert_reset (link.server);
}

static void
test_stall_holds_what_comes (void)
{
  g_auto (Link) link = { 0 };
  g_autoptr (GByteArray) there = NULL;
  GSocket *far;

  link_open (&link, (FalRelayOptions){ 0 });
  far = g_socket_connection_get_socket (link.server);
  fal_relay_set_stalled (link.relay, TRUE);
  put (link.client, "wait", 4);
  g_assert_false (g_socket_condition_timed_wait (far, G_IO_IN, 30 * MS, NULL, NULL));
  fal_relay_set_stalled (link.relay, FALSE);
  there = get (link.server, 4);
  g_assert_cmpmem (there->data, there->len, "wait", 4);
}

/* However much waits in it. */
static void
test_free_does_not_wait (void)
{
  g_auto (Link) link = { 0 };
  g_autoptr (GBytes) noise = make_noise (4, 1000000);
  gint64 begin;

  link_open (&link, (FalRelayOptions){ .round_trip_ms = 60000, .up_rate = 1000 });
  fal_relay_set_stalled (link.relay, TRUE);
  put (link.client, g_bytes_get_data (noise, NULL), g_bytes_get_size (noise));
  begin = g_get_monotonic_time ();
  g_clear_pointer (&link.relay, fal_relay_free);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, SOON);
}

/* ---- the tap ---- */

typedef struct {
  GMutex mutex;
  GByteArray *bytes[2]; /* down, up */
  gint64 first[2];
} Tap;

static void
on_tap (gpointer user, guint connection, gboolean up, const guint8 *data, gsize size, gint64 time)
{
  Tap *tap = user;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&tap->mutex);

  g_assert_cmpuint (connection, ==, 1);
  if (tap->bytes[up]->len == 0)
    tap->first[up] = time;
  g_byte_array_append (tap->bytes[up], data, size);
}

static void
test_the_tap_sees_what_passes (void)
{
  g_auto (Link) link = { 0 };
  Tap tap = { .bytes = { g_byte_array_new (), g_byte_array_new () } };

  link_open (&link, (FalRelayOptions){ .round_trip_ms = 20, .tap = on_tap, .user = &tap });
  time_round_trip (&link);
  link_close (&link); /* the relay's thread has ended */
  g_assert_cmpmem (tap.bytes[1]->data, tap.bytes[1]->len, "a", 1);
  g_assert_cmpmem (tap.bytes[0]->data, tap.bytes[0]->len, "b", 1);
  /* At the client's end. */
  g_assert_cmpint (tap.first[0] - tap.first[1], >=, 20 * MS);
  g_byte_array_unref (tap.bytes[0]);
  g_byte_array_unref (tap.bytes[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/relay/bytes-pass-whole", test_bytes_pass_whole);
  g_test_add_func ("/relay/jitter-keeps-the-order", test_jitter_keeps_the_order);
  g_test_add_func ("/relay/round-trip", test_round_trip);
  g_test_add_func ("/relay/no-round-trip", test_no_round_trip);
  g_test_add_func ("/relay/round-trip-changes", test_round_trip_changes);
  g_test_add_func ("/relay/jitter-goes-so-far", test_jitter_goes_so_far);
  g_test_add_func ("/relay/rate-of-each-direction", test_rate_of_each_direction);
  g_test_add_func ("/relay/rate-and-delay-add-up", test_rate_and_delay_add_up);
  g_test_add_func ("/relay/an-end-is-passed-on", test_an_end_is_passed_on);
  g_test_add_func ("/relay/nobody-at-the-target", test_nobody_at_the_target);
  g_test_add_func ("/relay/cut", test_cut);
  g_test_add_func ("/relay/reset", test_reset);
  g_test_add_func ("/relay/stall-holds-what-comes", test_stall_holds_what_comes);
  g_test_add_func ("/relay/free-does-not-wait", test_free_does_not_wait);
  g_test_add_func ("/relay/the-tap-sees-what-passes", test_the_tap_sees_what_passes);
  return g_test_run ();
}
