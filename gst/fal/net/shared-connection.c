/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shared connection. Which connections there are is guarded by one mutex of the process; all
 * else belongs to the net thread, but for what stands under the connection's lock. */
#include "shared-connection.h"
#include "net-thread.h"
#include "fal/settings/properties.h"
#include "fal/policy/request-turns.h"

typedef struct {
  FalConnectionEvents events;
  gpointer user;
  guint tag;
} Member;

struct _FalSharedConnection {
  gchar *key;            /* NULL: not shared */
  FalSettings *settings; /* of the first member */
  FalNetThread *thread;
  guint users;          /* those that joined and did not leave; registry_lock */
  gatomicrefcount refs; /* one for each that joined and whose leave did not return */
  guint last_tag;       /* registry_lock */

  GMutex lock;
  FalSocketGuard *guard; /* lock; of the WebSocket that is open, so that any thread can cut it */

  /* Everything below: the net thread. */
  GPtrArray *members;    /* Member */
  FalEndpoint *endpoint; /* until the connection takes it */
  FalConnection *connection;
  FalDialerState state;
  gboolean open, ready;
  FalTimer *ready_timer; /* the app should have said that it is ready */
  FalRequestTurns *turns;
  FalTimer *turn_timer; /* somebody's turn may come though nothing happened */
  gpointer last_answered;
};

static GMutex registry_lock;
static GHashTable *registry; /* key to FalSharedConnection; registry_lock */

/* ---- turns ---- */

static void
send_next (gpointer data)
{
  FalSharedConnection *shared = data;
  gint64 now = g_get_monotonic_time ();
  gpointer user;
  GBytes *message;

  while ((message = fal_request_turns_take (shared->turns, now, &user))) {
    fal_connection_send (shared->connection, message);
    g_bytes_unref (message);
  }
  fal_timer_set (shared->turn_timer, fal_request_turns_next_time (shared->turns, now));
}

void
fal_shared_connection_send (FalSharedConnection *shared, gpointer user, GBytes *message)
{
  fal_request_turns_push (shared->turns, user, message, g_get_monotonic_time ());
  send_next (shared);
}

static gpointer
find_tagged (const FalSharedConnection *shared, guint tag)
{
  for (guint i = 0; i < shared->members->len; i++) {
    const Member *member = shared->members->pdata[i];

    if (member->tag == tag)
      return member->user;
  }
  return NULL;
}

/* Where nothing is out, it is for the only member there is, or for nobody. */
static gpointer
find_in_order (FalSharedConnection *shared)
{
  gboolean known;
  gpointer user = fal_request_turns_answer_oldest (shared->turns, g_get_monotonic_time (), &known);

  if (!known && shared->members->len == 1)
    return ((Member *) shared->members->pdata[0])->user;
  return user;
}

gpointer
fal_shared_connection_take_answered (FalSharedConnection *shared, gint64 tag)
{
  gpointer user = tag >= 0 ? find_tagged (shared, tag) : find_in_order (shared);

  if (tag >= 0)
    fal_request_turns_answer (shared->turns, user, g_get_monotonic_time ());
  send_next (shared);
  shared->last_answered = user;
  return user;
}

gpointer
fal_shared_connection_get_last_answered (FalSharedConnection *shared)
{
  return shared->last_answered;
}

/* ---- what the connection tells ---- */

static void
on_state_changed (gpointer user, FalDialerState state)
{
  FalSharedConnection *shared = user;

  shared->state = state;
  for (guint i = 0; i < shared->members->len; i++) {
    const Member *member = shared->members->pdata[i];

    member->events.state_changed (member->user, state);
  }
}

static void
on_never_ready (gpointer data)
{
  FalSharedConnection *shared = data;

  fal_connection_fail (
      shared->connection, FAL_FAULT_TIMED_OUT, "the app did not say that it is ready");
}

static void
start_ready_timer (FalSharedConnection *shared)
{
  gint64 patience = shared->settings->connect_timeout * G_TIME_SPAN_MILLISECOND;

  if (!shared->ready && patience > 0)
    fal_timer_set (shared->ready_timer, g_get_monotonic_time () + patience);
}

static void
stop_ready_timer (FalSharedConnection *shared)
{
  fal_timer_set (shared->ready_timer, G_MAXINT64);
}

static void
set_guard (FalSharedConnection *shared, FalSocketGuard *guard)
{
  g_mutex_lock (&shared->lock);
  g_clear_pointer (&shared->guard, fal_socket_guard_unref);
  if (guard)
    shared->guard = fal_socket_guard_ref (guard);
  g_mutex_unlock (&shared->lock);
}

static void
on_opened (gpointer user)
{
  FalSharedConnection *shared = user;

  fal_request_turns_clear (shared->turns);
  shared->open = TRUE;
  shared->ready = !fal_settings_waits_for_ready (shared->settings);
  set_guard (shared, fal_connection_get_guard (shared->connection));
  start_ready_timer (shared);
  for (guint i = 0; i < shared->members->len; i++) {
    const Member *member = shared->members->pdata[i];

    member->events.opened (member->user);
  }
}

static const Member *
get_first (const FalSharedConnection *shared)
{
  return shared->members->len > 0 ? shared->members->pdata[0] : NULL;
}

static void
on_message (gpointer user, GBytes *message, gboolean text)
{
  const Member *first = get_first (user);

  if (first)
    first->events.message (first->user, message, text);
}

static void
on_ended (gpointer user, FalVerdict verdict, const FalFault *fault, const GError *error)
{
  FalSharedConnection *shared = user;

  shared->open = FALSE;
  stop_ready_timer (shared);
  fal_request_turns_clear (shared->turns);
  set_guard (shared, NULL);
  for (guint i = 0; i < shared->members->len; i++) {
    const Member *member = shared->members->pdata[i];

    member->events.ended (member->user, verdict, fault, error);
  }
}

static const Member *
find_provider (const FalSharedConnection *shared)
{
  for (guint i = 0; i < shared->members->len; i++) {
    const Member *member = shared->members->pdata[i];

    if (member->events.has_provider (member->user))
      return member;
  }
  return NULL;
}

static gboolean
has_provider (gpointer user)
{
  return find_provider (user) != NULL;
}

static void
request_token (gpointer user, FalTokenPromise *promise)
{
  const Member *member = find_provider (user);

  if (member)
    member->events.request_token (member->user, promise);
  else
    fal_token_promise_answer (promise, NULL);
}

static gboolean
accept_certificate (
    gpointer user, GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  const Member *first = get_first (user);

  return first && first->events.accept_certificate (first->user, tls, certificate, errors);
}

/* ---- the thread ---- */

static void
on_begin (gpointer user)
{
  static const FalConnectionEvents events = {
    .opened = on_opened,
    .message = on_message,
    .ended = on_ended,
    .state_changed = on_state_changed,
    .has_provider = has_provider,
    .request_token = request_token,
    .accept_certificate = accept_certificate,
  };
  FalSharedConnection *shared = user;

  shared->ready_timer = fal_shared_connection_new_timer (shared, on_never_ready, shared);
  shared->turn_timer = fal_shared_connection_new_timer (shared, send_next, shared);
  shared->connection =
      fal_connection_new (g_steal_pointer (&shared->endpoint), shared->settings, &events, shared);
}

static void
on_end (gpointer user)
{
  FalSharedConnection *shared = user;

  stop_ready_timer (shared);
  fal_request_turns_clear (shared->turns);
  fal_timer_set (shared->turn_timer, G_MAXINT64);
  g_clear_pointer (&shared->connection, fal_connection_free);
  g_clear_pointer (&shared->ready_timer, fal_timer_free);
  g_clear_pointer (&shared->turn_timer, fal_timer_free);
}

/* A server that floods keeps libsoup reading, so that the thread's loop comes to nothing else. */
static void
on_hurry (gpointer user)
{
  FalSharedConnection *shared = user;
  g_autoptr (FalSocketGuard) guard = NULL;

  g_mutex_lock (&shared->lock);
  guard = shared->guard ? fal_socket_guard_ref (shared->guard) : NULL;
  g_mutex_unlock (&shared->lock);
  if (guard)
    fal_socket_guard_cut (guard, FAL_FAULT_ASKED);
}

FalTimer *
fal_shared_connection_new_timer (
    FalSharedConnection *shared, void (*fired) (gpointer user), gpointer user)
{
  return fal_timer_new (fal_net_thread_get_context (shared->thread), fired, user);
}

/* ---- life ---- */

static FalSharedConnection *
shared_new (FalSettings *settings, FalEndpoint *endpoint)
{
  static const FalNetThreadEvents events = {
    .begin = on_begin,
    .end = on_end,
    .hurry = on_hurry,
  };
  FalSharedConnection *shared = g_new0 (FalSharedConnection, 1);

  g_atomic_ref_count_init (&shared->refs);
  shared->settings = fal_settings_ref (settings);
  shared->endpoint = endpoint;
  shared->thread = fal_net_thread_new (&events, shared);
  shared->members = g_ptr_array_new_with_free_func (g_free);
  shared->turns = fal_request_turns_new ();
  g_mutex_init (&shared->lock);
  return shared;
}

static void
shared_unref (FalSharedConnection *shared)
{
  if (!g_atomic_ref_count_dec (&shared->refs))
    return;
  g_free (shared->key);
  fal_settings_unref (shared->settings);
  fal_net_thread_free (shared->thread);
  g_ptr_array_unref (shared->members);
  fal_request_turns_free (shared->turns);
  g_clear_pointer (&shared->guard, fal_socket_guard_unref);
  g_mutex_clear (&shared->lock);
  g_free (shared);
}

static gboolean
check_same (const FalSharedConnection *shared, const FalSettings *settings, GError **error)
{
  const gchar *name = fal_properties_find_difference (shared->settings, settings);

  if (name == NULL)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "connection-key \"%s\" is in use by an element with another %s; set %s alike on all elements "
      "that share the connection, or another connection-key",
      shared->key, name, name);
  return FALSE;
}

static FalSharedConnection *
find_or_make_locked (FalSettings *settings, FalEndpoint *endpoint)
{
  const gchar *key = settings->connection_key;
  FalSharedConnection *shared =
      key && *key && registry ? g_hash_table_lookup (registry, key) : NULL;

  if (shared != NULL) {
    fal_endpoint_free (endpoint);
    return shared;
  }
  shared = shared_new (settings, endpoint);
  if (key == NULL || *key == '\0')
    return shared;
  shared->key = g_strdup (key);
  if (registry == NULL)
    registry = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (registry, shared->key, shared);
  return shared;
}

/* ---- joining ---- */

/* What the net thread does for a member that joins. */
typedef struct {
  FalSharedConnection *shared;
  Member *member;
} Joining;

static void
on_join (gpointer data)
{
  const Joining *joining = data;
  FalSharedConnection *shared = joining->shared;
  const Member *member = joining->member;

  g_ptr_array_add (shared->members, joining->member);
  fal_request_turns_join (shared->turns, member->user);
  if (shared->open)
    member->events.opened (member->user);
  if (shared->state == FAL_DIALER_FAILED)
    fal_connection_close (shared->connection); /* a newcomer may try again */
  else if (shared->state != FAL_DIALER_IDLE)
    member->events.state_changed (member->user, shared->state);
}

static void
post_join (FalSharedConnection *shared, const Member *member)
{
  Joining *joining = g_new (Joining, 1);

  *joining = (Joining){ shared, g_memdup2 (member, sizeof *member) };
  fal_net_thread_post (shared->thread, on_join, joining, g_free);
}

static void
join_locked (FalSharedConnection *shared, const FalConnectionEvents *events, gpointer user)
{
  const Member member = { *events, user, shared->last_tag++ };

  post_join (shared, &member);
  if (shared->users++ == 0)
    fal_net_thread_start (shared->thread);
  else
    g_atomic_ref_count_inc (&shared->refs);
}

gboolean
fal_shared_connection_join (FalSettings *settings, FalEndpoint *endpoint,
    const FalConnectionEvents *events, gpointer user, FalSharedConnection **joined, guint *tag,
    GError **error)
{
  FalSharedConnection *shared;
  gboolean fits;

  g_mutex_lock (&registry_lock);
  shared = find_or_make_locked (settings, endpoint);
  fits = shared->users == 0 || check_same (shared, settings, error);
  if (fits) {
    *joined = shared;
    *tag = shared->last_tag;
    join_locked (shared, events, user);
  }
  g_mutex_unlock (&registry_lock);
  return fits;
}

/* ---- leaving ---- */

/* What the net thread does for a member that leaves, and waits for. */
typedef struct {
  FalSharedConnection *shared;
  gpointer user;
  void (*left) (gpointer user);
  gboolean done;
} Leaving;

static void
remove_member (FalSharedConnection *shared, gpointer user)
{
  for (guint i = 0; i < shared->members->len; i++) {
    if (((Member *) shared->members->pdata[i])->user == user)
      g_ptr_array_remove_index (shared->members, i--);
  }
  fal_request_turns_forget (shared->turns, user);
  if (shared->last_answered == user)
    shared->last_answered = NULL;
}

static void
on_leave (gpointer data)
{
  Leaving *leaving = data;
  FalSharedConnection *shared = leaving->shared;

  remove_member (shared, leaving->user);
  send_next (shared);
  if (leaving->left)
    leaving->left (leaving->user);
  fal_net_thread_finish (shared->thread, &leaving->done);
}

void
fal_shared_connection_leave (
    FalSharedConnection *shared, gpointer user, void (*left) (gpointer user))
{
  Leaving leaving = { shared, user, left };
  gboolean last;

  g_mutex_lock (&registry_lock);
  last = --shared->users == 0;
  if (last && shared->key)
    g_hash_table_remove (registry, shared->key);
  fal_net_thread_post (shared->thread, on_leave, &leaving, NULL);
  /* Still with the lock held, so that nobody's leave is posted behind the end. */
  if (last)
    fal_net_thread_quit (shared->thread);
  g_mutex_unlock (&registry_lock);
  fal_net_thread_wait (shared->thread, &leaving.done);
  if (last)
    fal_net_thread_stop (shared->thread);
  shared_unref (shared);
}

/* ---- questions ---- */

FalConnection *
fal_shared_connection_get_connection (FalSharedConnection *shared)
{
  return shared->connection;
}

void
fal_shared_connection_set_ready (FalSharedConnection *shared)
{
  shared->ready = TRUE;
  stop_ready_timer (shared);
}

gboolean
fal_shared_connection_is_ready (FalSharedConnection *shared)
{
  return shared->ready;
}

void
fal_shared_connection_foreach (FalSharedConnection *shared, void (*function) (gpointer member))
{
  for (guint i = 0; i < shared->members->len; i++)
    function (((Member *) shared->members->pdata[i])->user);
}

gboolean
fal_shared_connection_any (FalSharedConnection *shared, gboolean (*is_so) (gpointer member))
{
  for (guint i = 0; i < shared->members->len; i++)
    if (is_so (((Member *) shared->members->pdata[i])->user))
      return TRUE;
  return FALSE;
}
