/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who joins a connection, and how one leaves it. Nothing is connected to. */
#include "fal/net/shared-connection.h"
#include "install-properties.h"
#include <string.h>

typedef struct {
  FalSharedConnection *shared;
  guint tag;
  FalTimer *timer;

  GMutex lock;
  GCond changed;
  GThread *net_thread; /* lock; that the timer fired on */
  gboolean left;
  gboolean fired_late; /* after left() */
} Member;

static void
on_nothing (gpointer user)
{
  g_assert_not_reached ();
}

static void
on_message (gpointer user, GBytes *message, gboolean text)
{
  g_assert_not_reached ();
}

static void
on_ended (gpointer user, FalVerdict verdict, const FalFault *fault, const GError *error)
{
  g_assert_not_reached ();
}

static void
on_state_changed (gpointer user, FalDialerState state)
{
  g_assert_not_reached ();
}

/* No connection ever stands. */
static void
on_share_changed (gpointer user, const FalPaidTime *paid)
{
  g_assert_cmpint (paid->time, ==, 0);
  g_assert_cmpint (paid->since, ==, 0);
}

static gboolean
has_provider (gpointer user)
{
  return FALSE;
}

static void
on_request_token (gpointer user, FalTokenPromise *promise)
{
  g_assert_not_reached ();
}

static gboolean
on_accept_certificate (
    gpointer user, GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  g_assert_not_reached ();
}

static FalSettings *
make_settings (const gchar *key, const gchar *user_agent)
{
  FalSettings *settings = fal_settings_new ();

  g_free (settings->connection_key);
  settings->connection_key = g_strdup (key);
  g_free (settings->user_agent);
  settings->user_agent = g_strdup (user_agent);
  return settings;
}

static gboolean
join_with (Member *member, const gchar *key, const gchar *user_agent, GError **error)
{
  static const FalMemberEvents events = {
    .connection = {
      .opened = on_nothing,
      .message = on_message,
      .ended = on_ended,
      .state_changed = on_state_changed,
      .has_provider = has_provider,
      .request_token = on_request_token,
      .accept_certificate = on_accept_certificate,
    },
    .share_changed = on_share_changed,
  };
  g_autoptr (FalSettings) settings = make_settings (key, user_agent);
  FalEndpoint *endpoint = fal_endpoint_new ("ws://127.0.0.1:1", "test/app", NULL, NULL);
  const gpointer users[] = { member };

  g_mutex_init (&member->lock);
  g_cond_init (&member->changed);
  return fal_shared_connection_join (
      settings, endpoint, &events, users, &member->shared, &member->tag, error);
}

static void
on_fired (gpointer user)
{
  Member *member = user;

  g_mutex_lock (&member->lock);
  member->net_thread = g_thread_self ();
  member->fired_late |= member->left;
  g_cond_signal (&member->changed);
  g_mutex_unlock (&member->lock);
}

static void
join (Member *member, const gchar *key)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (join_with (member, key, NULL, &error));
  g_assert_no_error (error);
  member->timer = fal_shared_connection_new_timer (member->shared, on_fired, member);
}

/* The thread that the member's timer fires on. */
static GThread *
find_thread (Member *member)
{
  gint64 watchdog = g_get_monotonic_time () + 20 * G_TIME_SPAN_SECOND;

  fal_timer_set (member->timer, 0);
  g_mutex_lock (&member->lock);
  while (member->net_thread == NULL)
    g_assert_true (g_cond_wait_until (&member->changed, &member->lock, watchdog));
  g_mutex_unlock (&member->lock);
  return member->net_thread;
}

static void
on_left (gpointer user)
{
  Member *member = user;

  g_assert_true (member->net_thread == NULL || member->net_thread == g_thread_self ());
  g_assert_false (member->left);
  fal_timer_free (member->timer);
  member->left = TRUE;
}

static void
leave (Member *member)
{
  fal_timer_set (member->timer, 0);
  fal_shared_connection_leave (member->shared, member, on_left);
  g_assert_true (member->left);
  g_assert_false (member->fired_late);
  g_mutex_clear (&member->lock);
  g_cond_clear (&member->changed);
}

static void
test_one_without_a_key_is_alone (void)
{
  Member a = { 0 }, b = { 0 };

  join (&a, "");
  join (&b, "");
  g_assert_true (a.shared != b.shared);
  g_assert_true (find_thread (&a) != find_thread (&b));
  g_assert_true (find_thread (&a) != g_thread_self ());
  g_assert_cmpuint (a.tag, ==, 0);
  g_assert_cmpuint (b.tag, ==, 0);
  leave (&a);
  leave (&b);
}

static void
test_with_one_key_they_share (void)
{
  Member a = { 0 }, b = { 0 };

  join (&a, "key");
  join (&b, "key");
  g_assert_true (a.shared == b.shared);
  g_assert_true (find_thread (&a) == find_thread (&b));
  g_assert_cmpuint (a.tag, !=, b.tag);
  leave (&a);
  leave (&b);
}

/* Whoever comes next gets a connection that is new. */
static void
test_the_last_one_ends_it (void)
{
  Member a = { 0 }, b = { 0 };

  join (&a, "key");
  g_assert_cmpuint (a.tag, ==, 0);
  leave (&a);
  join (&b, "key");
  g_assert_cmpuint (b.tag, ==, 0);
  leave (&b);
}

static void
test_other_settings_do_not_join (void)
{
  Member a = { 0 }, b = { 0 };
  g_autoptr (GError) error = NULL;

  join (&a, "key");
  g_assert_false (join_with (&b, "key", "another/1.0", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "user-agent"));
  g_assert_null (b.shared);
  leave (&a);
}

/* The net thread may be at any point when a member leaves. */
static void
test_members_come_and_go (void)
{
  for (guint i = 0; i < 100; i++) {
    Member a = { 0 }, b = { 0 };

    join (&a, "key");
    join (&b, "key");
    leave (i % 2 ? &a : &b);
    leave (i % 2 ? &b : &a);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  install_properties ();
#define ADD(name) g_test_add_func ("/shared-connection/" #name, test_##name)
  ADD (one_without_a_key_is_alone);
  ADD (with_one_key_they_share);
  ADD (the_last_one_ends_it);
  ADD (other_settings_do_not_join);
  ADD (members_come_and_go);
  return g_test_run ();
}
