/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a network does to a connection, from the first packet to the last. */
#include "fault-table.h"

#include <gio/gio.h>
#include <string.h>

static const FaultRow rows[] = {
  { "refused", .door = PEER_DOOR_CLOSED, .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri"),
      .error = RESOURCE (OPEN_READ_WRITE, "Check base-uri") },
  { "an-attempt-that-is-swallowed", .door = PEER_DOOR_CLOGGED,
      .properties = "connect-timeout=50 retries=1",
      .outage = RESOURCE (OPEN_READ_WRITE, "connect-timeout"),
      .error = RESOURCE (OPEN_READ_WRITE, "connect-timeout") },
  { "reset-at-once", SCRIPT ({ PEER_RESET }),
      .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri"), .connections = 2 },
  { "reset-during-the-handshake", SCRIPT ({ PEER_HTTP }, { PEER_RESET }),
      .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri"), .connections = 2 },
  { "cut-during-the-handshake", SCRIPT ({ PEER_HTTP }, { PEER_CUT }),
      .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri"), .connections = 2 },
  { "cut-in-the-status-line",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 101 Swi" }, { PEER_CUT }),
      .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri"), .connections = 2 },
  { "resets-until-the-retries-are-spent", SCRIPT ({ PEER_HTTP }, { PEER_RESET }), .for_ever = TRUE,
      .properties = "retries=3", .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri"),
      .error = RESOURCE (OPEN_READ_WRITE, "Check base-uri"), .connections = 4 },
  { "an-upgrade-that-is-never-answered", SCRIPT ({ PEER_HTTP }, { PEER_STALL }),
      .properties = "connect-timeout=80", .outage = RESOURCE (OPEN_READ_WRITE, "connect-timeout"),
      .connections = 2 },
  { "an-upgrade-that-is-never-answered-again-and-again", SCRIPT ({ PEER_HTTP }, { PEER_STALL }),
      .for_ever = TRUE, .properties = "connect-timeout=80 retries=-1",
      .outage = RESOURCE (OPEN_READ_WRITE, "connect-timeout"),
      .error = RESOURCE (OPEN_READ_WRITE, "connect-timeout has passed 3 times in a row"),
      .connections = 3 },
  { "an-upgrade-that-is-not-answered-in-mid-session",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, { PEER_CLOSE, 1000 },
          { PEER_NEXT }, { PEER_HTTP }, { PEER_STALL }, { PEER_NEXT }, { PEER_HTTP },
          { PEER_STALL }, { PEER_NEXT }, { PEER_HTTP }, { PEER_STALL }, { PEER_NEXT },
          { PEER_HTTP }, { PEER_STALL }),
      .properties = "connect-timeout=80 retries=-1",
      .outage = RESOURCE (OPEN_READ_WRITE, "connect-timeout"), .connections = 6 },
  { "an-upgrade-at-some-bytes-a-second",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "X", .times = 100000, .pause = 20000 }),
      .properties = "connect-timeout=80", .outage = RESOURCE (OPEN_READ_WRITE, "connect-timeout"),
      .connections = 2 },
  { "cut-right-after-the-upgrade", SCRIPT ({ PEER_UPGRADE }, { PEER_CUT }),
      .outage = RESOURCE (READ, "Check the network"), .connections = 2 },
  { "the-end-of-the-stream-without-a-close-frame",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, { PEER_AWAIT }, { PEER_CUT }),
      .outage = RESOURCE (READ, "Check the network"), .connections = 2 },
  { "cut-in-the-middle-of-a-result",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_SEND, BYTES ("\x82\x7e\x10\x00half of it") },
          { PEER_CUT }),
      .outage = RESOURCE (READ, "Check the network"), .connections = 2 },
  { "reset-in-the-middle-of-a-result",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_SEND, BYTES ("\x82\x7e\x10\x00half of it") },
          { PEER_RESET }),
      .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri and the network"), .connections = 2 },
  { "a-link-that-breaks-at-a-big-request", SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_CUT }),
      .for_ever = TRUE, .properties = "quality=100 retries=1", .width = 640, .height = 480,
      .outage = RESOURCE (READ, "bytes: lower width, height or quality. Trying again"),
      .error = RESOURCE (READ, "bytes: lower width, height or quality. Giving up"),
      .connections = 2 },
  { "a-link-that-breaks-again-and-again",
      SCRIPT ({ PEER_UPGRADE }, { PEER_CUT }, { PEER_NEXT }, { PEER_UPGRADE }, { PEER_CUT },
          { PEER_NEXT }, { PEER_HTTP }, { PEER_RESET }, { PEER_NEXT }, { PEER_RESET }),
      .outage = RESOURCE (READ, "Check the network"), .connections = 5 },
  { "half-open",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, { PEER_AWAIT }, { PEER_STALL }),
      .properties = "request-timeout=150", .outage = RESOURCE (READ, "request-timeout"),
      .connections = 2 },
  { "a-result-at-some-bytes-a-second",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER, .pause = 1000 }, { PEER_SERVE }),
      .connections = 1 },
  { "a-result-too-slow-to-wait-for",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER, .pause = 20000 }, { PEER_SERVE }),
      .properties = "request-timeout=200", .outage = RESOURCE (READ, "request-timeout"),
      .connections = 2 },
  { "a-peer-that-never-reads", SCRIPT ({ PEER_UPGRADE }, { PEER_STALL }),
      .properties = "request-timeout=0 max-in-flight=8", .width = 640, .height = 480,
      .until_stall = TRUE, .replaced = 100, .connections = 1 },
  { "a-peer-that-stops-to-read",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, { PEER_AWAIT }, { PEER_STALL }),
      .properties = "request-timeout=0 max-in-flight=8 quality=100", .width = 640, .height = 480,
      .until_stall = TRUE, .replaced = 100, .connections = 1 },
};

/* ---- down to NULL at each phase of connecting ---- */

static const FaultRow phases[] = {
  { "a-swallowed-attempt", .door = PEER_DOOR_CLOGGED, .frames = 20 },
  { "the-token-request", SCRIPT ({ PEER_HTTP }, { PEER_STALL }), .fetches_token = TRUE,
      .until_stall = TRUE },
  { "the-token-reply",
      SCRIPT ({ PEER_HTTP },
          { PEER_SEND, .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\"tok" },
          { PEER_STALL }),
      .fetches_token = TRUE, .until_stall = TRUE },
  { "the-upgrade", SCRIPT ({ PEER_HTTP }, { PEER_STALL }), .until_stall = TRUE },
  { "the-status-line", SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 1" }, { PEER_STALL }),
      .until_stall = TRUE },
  { "a-connection-without-a-request", SCRIPT ({ PEER_UPGRADE }, { PEER_STALL }),
      .until_stall = TRUE },
  { "a-request", SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_STALL }), .until_stall = TRUE },
  { "half-a-result",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_SEND, BYTES ("\x82\x7e\x10\x00half") },
          { PEER_STALL }),
      .until_stall = TRUE },
  { "a-close-frame-without-an-end",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_CLOSE, 1000 }, { PEER_STALL }),
      .until_stall = TRUE },
  { "the-time-between-two-attempts", .door = PEER_DOOR_CLOSED,
      .properties = "retry-delay=60000 max-retry-delay=60000", .frames = 50,
      .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri") },
};

/* ---- names ---- */

/* Knows no name, but all of them (knows) as this machine's; or never answers until it is cancelled
 * (hangs). */
#define FAULTY_TYPE_RESOLVER (faulty_resolver_get_type ())
G_DECLARE_FINAL_TYPE (FaultyResolver, faulty_resolver, FAULTY, RESOLVER, GResolver)

struct _FaultyResolver {
  GResolver parent;
  gboolean hangs;
  gint knows; /* atomic */
  gint asked; /* atomic; how often a name was not known */
};

G_DEFINE_FINAL_TYPE (FaultyResolver, faulty_resolver, G_TYPE_RESOLVER)

static void
on_cancelled (GCancellable *cancellable, GTask *task)
{
  g_task_return_error_if_cancelled (task);
  g_signal_handlers_disconnect_by_data (cancellable, task);
}

static void
forget_task (gpointer task, GClosure *closure)
{
  g_object_unref (task);
}

static void
free_addresses (gpointer list)
{
  g_resolver_free_addresses (list);
}

static void
look_up (GResolver *resolver, const gchar *name, GResolverNameLookupFlags flags,
    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
  g_autoptr (GTask) task = g_task_new (resolver, cancellable, callback, user);

  FaultyResolver *faulty = FAULTY_RESOLVER (resolver);

  if (faulty->hangs) {
    g_signal_connect_data (
        cancellable, "cancelled", G_CALLBACK (on_cancelled), g_object_ref (task), forget_task, 0);
  } else if (g_atomic_int_get (&faulty->knows)) {
    g_task_return_pointer (task,
        g_list_prepend (NULL, g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4)), free_addresses);
  } else {
    g_atomic_int_inc (&faulty->asked);
    g_task_return_new_error (
        task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "no such host: %s", name);
  }
}

static GList *
look_up_finish (GResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
faulty_resolver_init (FaultyResolver *resolver)
{
}

static void
faulty_resolver_class_init (FaultyResolverClass *klass)
{
  GResolverClass *resolver_class = G_RESOLVER_CLASS (klass);

  resolver_class->lookup_by_name_with_flags_async = look_up;
  resolver_class->lookup_by_name_with_flags_finish = look_up_finish;
}

static void
check_host (gboolean hangs, const gchar *properties, gint code, const gchar *text)
{
  g_autofree gchar *description = g_strdup_printf (
      "falrealtimefilter app=a/b base-uri=ws://host.test retry-delay=1 %s", properties);
  g_autoptr (GResolver) usual = g_resolver_get_default ();
  g_autoptr (FaultyResolver) resolver = g_object_new (FAULTY_TYPE_RESOLVER, NULL);
  g_autoptr (Invariants) invariants = invariants_new ();
  Fixture *f = fixture_new_from (description, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstMessage) message = NULL;

  resolver->hangs = hangs;
  g_resolver_set_default (G_RESOLVER (resolver));
  invariants_begin (invariants, f, 1, FAL_WINDOW_MAX_UNANSWERED);
  fixture_set_size (f, FRAME_SIZE, FRAME_SIZE);
  fixture_push (f, invariants_make_frame (0));
  message = fixture_wait_for_message (f, GST_MESSAGE_ERROR);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, GST_RESOURCE_ERROR, code);
  g_assert_nonnull (strstr (error->message, text));
  invariants_stop (invariants);
  fixture_free (f);
  g_resolver_set_default (usual);
}

static void
test_an_unknown_host_is_an_error_at_once (void)
{
  check_host (FALSE, "", GST_RESOURCE_ERROR_NOT_FOUND, "Check the host");
}

static void
test_a_resolver_that_hangs_is_given_up (void)
{
  check_host (
      TRUE, "connect-timeout=50 retries=1", GST_RESOURCE_ERROR_OPEN_READ_WRITE, "connect-timeout");
}

/* Pushes frames from number @n until @result is out; the next number. */
static guint
push_until_result (Fixture *f, Invariants *invariants, guint n, guint results)
{
  REPEAT_UNTIL (f->element, invariants_get_good (invariants) >= results,
      fixture_push (f, invariants_make_frame (n++)));
  return n;
}

/* As in a tunnel, or behind a portal: the name did resolve before. */
static void
test_a_host_that_is_unknown_for_a_while_is_tried_again (void)
{
  PeerConfig config = { 0 };
  g_autoptr (GResolver) usual = g_resolver_get_default ();
  g_autoptr (FaultyResolver) resolver = g_object_new (FAULTY_TYPE_RESOLVER, NULL);
  g_autoptr (Invariants) invariants = invariants_new ();
  Peer *peer = peer_new (&config);
  g_autofree gchar *description = g_strdup_printf (
      "falrealtimefilter app=a/b base-uri=ws://host.test:%u image-field=image_bytes retry-delay=1 "
      "max-retry-delay=20 image-encoding=bytes throttle-interval=0 timestamp-mode=input",
      peer_get_port (peer));
  Fixture *f = fixture_new_from (description, TRUE);
  g_autofree gchar *text = NULL;
  guint n;

  g_atomic_int_set (&resolver->knows, TRUE);
  g_resolver_set_default (G_RESOLVER (resolver));
  invariants_begin (invariants, f, 1, FAL_WINDOW_MAX_UNANSWERED);
  fixture_set_size (f, FRAME_SIZE, FRAME_SIZE);
  n = push_until_result (f, invariants, 0, 3);
  g_atomic_int_set (&resolver->knows, FALSE);
  g_signal_emit_by_name (f->element, "reconnect");
  REPEAT_UNTIL (f->element, g_atomic_int_get (&resolver->asked) > 5,
      fixture_push (f, invariants_make_frame (n++)));
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  g_assert_nonnull (strstr (text, "Trying again"));
  g_atomic_int_set (&resolver->knows, TRUE);
  push_until_result (f, invariants, n, invariants_get_good (invariants) + 3);
  fixture_expect_no_message (f);
  invariants_stop (invariants);
  fixture_free (f);
  peer_free (peer);
  g_resolver_set_default (usual);
}

/* ---- away for a while ---- */

/* With the default delays. */
static void
test_a_server_that_was_away_is_found_within_a_second (void)
{
  PeerConfig config = { 0 };
  g_autoptr (Invariants) invariants = invariants_new ();
  Peer *peer = peer_new (&config);
  g_autofree gchar *description = g_strdup_printf (
      "falrealtimefilter app=a/b base-uri=ws://127.0.0.1:%u image-field=image_bytes "
      "image-encoding=bytes throttle-interval=0 timestamp-mode=input",
      peer_get_port (peer));
  Fixture *f = fixture_new_from (description, TRUE);
  gint64 away = g_get_monotonic_time () + 3 * G_USEC_PER_SEC, back;
  guint n, good, returned;

  invariants_begin (invariants, f, 1, FAL_WINDOW_MAX_UNANSWERED);
  fixture_set_size (f, FRAME_SIZE, FRAME_SIZE);
  n = push_until_result (f, invariants, 0, 3);
  peer_leave (peer);
  REPEAT_UNTIL (
      f->element, g_get_monotonic_time () >= away, fixture_push (f, invariants_make_frame (n++)));
  good = invariants_get_good (invariants);
  back = g_get_monotonic_time ();
  returned = n;
  peer_return (peer);
  push_until_result (f, invariants, n, good + 1);
  g_assert_cmpint (g_get_monotonic_time () - back, <, PATIENCE * G_USEC_PER_SEC);
  g_assert_cmpuint (invariants_get_newest (invariants), >=, returned - 1);
  invariants_stop (invariants);
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
  fixture_expect_no_message (f);
  fixture_free (f);
  peer_free (peer);
}

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
  FAULT_TABLE_ADD ("network", rows);
  FAULT_TABLE_ADD ("network/null-during", phases);
#define ADD(name) g_test_add_func ("/network/" #name, test_##name)
  ADD (an_unknown_host_is_an_error_at_once);
  ADD (a_resolver_that_hangs_is_given_up);
  ADD (a_host_that_is_unknown_for_a_while_is_tried_again);
  ADD (a_server_that_was_away_is_found_within_a_second);
  return g_test_run ();
}
