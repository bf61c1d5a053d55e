/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shared connections. Which of them there are is guarded by one mutex of the process; all else
 * belongs to the net thread, but for what stands under the lock. */
#include "shared-connection.h"
#include "late-returns.h"
#include "net-thread.h"
#include "resources.h"
#include "fal/settings/properties.h"
#include "fal/policy/request-turns.h"

typedef struct {
  FalMemberEvents events;
  gpointer users[FAL_MAX_CONNECTIONS]; /* one for each lane */
  guint tag;
} Member;

/* One of the connections. */
typedef struct {
  FalSharedConnection *shared;
  guint number;
  FalSocketGuard *guard; /* lock; of the WebSocket that is open, so that any thread can cut it */

  /* Everything below: the net thread. */
  FalConnection *connection;
  FalDialerState state;
  gboolean open, ready;
  FalTimer *ready_timer; /* the app should have said that it is ready */
  FalRequestTurns *turns;
  FalTimer *turn_timer; /* somebody's turn may come though nothing happened */
  FalShares *shares;
  gpointer last_answered;
} Lane;

struct _FalSharedConnection {
  gchar *key;            /* NULL: not shared */
  FalSettings *settings; /* of the first member */
  FalNetThread *thread;
  guint users;          /* those that joined and did not leave; registry_lock */
  gatomicrefcount refs; /* one for each that joined and whose leave did not return */
  guint last_tag;       /* registry_lock */
  Lane *lanes;
  guint n_lanes;

  GMutex lock;

  /* Everything below: the net thread. */
  GPtrArray *members;    /* Member */
  FalEndpoint *endpoint; /* for the connections */
};

static GMutex registry_lock;
static GHashTable *registry; /* key to FalSharedConnection; registry_lock */

/* ---- turns ---- */

static void
send_next (gpointer data)
{
  Lane *lane = data;
  gint64 now = g_get_monotonic_time ();
  gpointer user;
  GBytes *message;

  while ((message = fal_request_turns_take (lane->turns, now, &user))) {
    fal_connection_send (lane->connection, message);
    g_bytes_unref (message);
  }
  fal_timer_set (lane->turn_timer, fal_request_turns_next_time (lane->turns, now));
}

void
fal_shared_connection_send (
    FalSharedConnection *shared, guint number, gpointer user, GBytes *message)
{
  Lane *lane = &shared->lanes[number];

  fal_request_turns_push (lane->turns, user, message, g_get_monotonic_time ());
  send_next (lane);
}

static gpointer
find_tagged (const Lane *lane, guint tag)
{
  for (guint i = 0; i < lane->shared->members->len; i++) {
    const Member *member = lane->shared->members->pdata[i];

    if (member->tag == tag)
      return member->users[lane->number];
  }
  return NULL;
}

/* Where nothing is out, it is for the only member there is, or for nobody. */
static gpointer
find_in_order (const Lane *lane)
{
  const GPtrArray *members = lane->shared->members;
  gboolean known;
  gpointer user = fal_request_turns_peek_oldest (lane->turns, &known);

  if (!known && members->len == 1)
    return ((const Member *) members->pdata[0])->users[lane->number];
  return user;
}

gpointer
fal_shared_connection_find_answered (FalSharedConnection *shared, guint number, gint64 tag)
{
  Lane *lane = &shared->lanes[number];
  gpointer user;

  if (tag < 0) {
    user = find_in_order (lane);
    /* Of one that has left nobody else tells that it is over. */
    if (user == NULL)
      fal_shared_connection_note_answered (shared, number, NULL);
    return user;
  }
  user = find_tagged (lane, tag);
  fal_request_turns_answer (lane->turns, user, g_get_monotonic_time ());
  send_next (lane);
  lane->last_answered = user;
  return user;
}

void
fal_shared_connection_note_answered (FalSharedConnection *shared, guint number, gpointer user)
{
  Lane *lane = &shared->lanes[number];

  fal_request_turns_answer_oldest (lane->turns, user, g_get_monotonic_time ());
  send_next (lane);
  lane->last_answered = user;
}

gpointer
fal_shared_connection_get_last_answered (FalSharedConnection *shared, guint lane)
{
  return shared->lanes[lane].last_answered;
}

/* ---- who pays ---- */

static void
tell_shares (const Lane *lane)
{
  const GPtrArray *members = lane->shared->members;
  FalPaidTime paid;

  for (guint i = 0; i < members->len; i++) {
    const Member *member = members->pdata[i];
    gpointer user = member->users[lane->number];

    fal_shares_get (lane->shares, user, &paid);
    member->events.share_changed (user, &paid);
  }
}

void
fal_shared_connection_set_use (
    FalSharedConnection *shared, guint number, gpointer user, gboolean uses)
{
  Lane *lane = &shared->lanes[number];

  fal_shares_set_use (lane->shares, user, uses, g_get_monotonic_time ());
  tell_shares (lane);
}

/* ---- what a connection tells ---- */

static void
on_state_changed (gpointer user, FalDialerState state)
{
  Lane *lane = user;
  const GPtrArray *members = lane->shared->members;

  lane->state = state;
  for (guint i = 0; i < members->len; i++) {
    const Member *member = members->pdata[i];

    member->events.connection.state_changed (member->users[lane->number], state);
  }
}

static void
on_never_ready (gpointer data)
{
  Lane *lane = data;

  fal_connection_fail (
      lane->connection, FAL_FAULT_TIMED_OUT, "the app did not say that it is ready");
}

static void
start_ready_timer (Lane *lane)
{
  gint64 patience = lane->shared->settings->connect_timeout * G_TIME_SPAN_MILLISECOND;

  if (!lane->ready && patience > 0)
    fal_timer_set (lane->ready_timer, g_get_monotonic_time () + patience);
}

static void
stop_ready_timer (Lane *lane)
{
  fal_timer_set (lane->ready_timer, G_MAXINT64);
}

static void
set_guard (Lane *lane, FalSocketGuard *guard)
{
  g_mutex_lock (&lane->shared->lock);
  g_clear_pointer (&lane->guard, fal_socket_guard_unref);
  if (guard)
    lane->guard = fal_socket_guard_ref (guard);
  g_mutex_unlock (&lane->shared->lock);
}

static void
on_opened (gpointer user)
{
  Lane *lane = user;
  const GPtrArray *members = lane->shared->members;

  fal_request_turns_clear (lane->turns);
  lane->open = TRUE;
  fal_shares_open (lane->shares, fal_connection_get_counts (lane->connection)->connected_since);
  lane->ready = !fal_settings_waits_for_ready (lane->shared->settings);
  set_guard (lane, fal_connection_get_guard (lane->connection));
  start_ready_timer (lane);
  for (guint i = 0; i < members->len; i++) {
    const Member *member = members->pdata[i];

    member->events.connection.opened (member->users[lane->number]);
  }
  tell_shares (lane);
}

static const Member *
get_first (const Lane *lane)
{
  const GPtrArray *members = lane->shared->members;

  return members->len > 0 ? members->pdata[0] : NULL;
}

static void
on_message (gpointer user, GBytes *message, gboolean text)
{
  const Lane *lane = user;
  const Member *first = get_first (lane);

  if (first)
    first->events.connection.message (first->users[lane->number], message, text);
}

static void
on_ended (gpointer user, FalVerdict verdict, const FalFault *fault, const GError *error)
{
  Lane *lane = user;
  const GPtrArray *members = lane->shared->members;

  lane->open = FALSE;
  fal_shares_close (lane->shares, g_get_monotonic_time ());
  tell_shares (lane);
  stop_ready_timer (lane);
  fal_request_turns_clear (lane->turns);
  set_guard (lane, NULL);
  for (guint i = 0; i < members->len; i++) {
    const Member *member = members->pdata[i];

    member->events.connection.ended (member->users[lane->number], verdict, fault, error);
  }
}

static const Member *
find_provider (const Lane *lane)
{
  for (guint i = 0; i < lane->shared->members->len; i++) {
    const Member *member = lane->shared->members->pdata[i];

    if (member->events.connection.has_provider (member->users[lane->number]))
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
  const Lane *lane = user;
  const Member *member = find_provider (lane);

  if (member)
    member->events.connection.request_token (member->users[lane->number], promise);
  else
    fal_token_promise_answer (promise, NULL);
}

static gboolean
accept_certificate (
    gpointer user, GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  const Lane *lane = user;
  const Member *first = get_first (lane);

  return first && first->events.connection.accept_certificate (
                      first->users[lane->number], tls, certificate, errors);
}

/* ---- the thread ---- */

static void
begin_lane (Lane *lane)
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
  FalSharedConnection *shared = lane->shared;

  lane->ready_timer = fal_shared_connection_new_timer (shared, on_never_ready, lane);
  lane->turn_timer = fal_shared_connection_new_timer (shared, send_next, lane);
  lane->connection =
      fal_connection_new (fal_endpoint_copy (shared->endpoint), shared->settings, &events, lane);
}

static void
on_begin (gpointer user)
{
  FalSharedConnection *shared = user;

  for (guint i = 0; i < shared->n_lanes; i++)
    begin_lane (&shared->lanes[i]);
}

static void
end_lane (Lane *lane)
{
  stop_ready_timer (lane);
  fal_request_turns_clear (lane->turns);
  fal_timer_set (lane->turn_timer, G_MAXINT64);
  g_clear_pointer (&lane->connection, fal_connection_free);
  g_clear_pointer (&lane->ready_timer, fal_timer_free);
  g_clear_pointer (&lane->turn_timer, fal_timer_free);
}

static void
on_end (gpointer user)
{
  FalSharedConnection *shared = user;

  for (guint i = 0; i < shared->n_lanes; i++)
    end_lane (&shared->lanes[i]);
  fal_late_returns_wait ();
}

static void
cut (Lane *lane)
{
  g_autoptr (FalSocketGuard) guard = NULL;

  g_mutex_lock (&lane->shared->lock);
  guard = lane->guard ? fal_socket_guard_ref (lane->guard) : NULL;
  g_mutex_unlock (&lane->shared->lock);
  if (guard)
    fal_socket_guard_cut (guard, FAL_FAULT_ASKED);
}

/* A server that floods keeps libsoup reading, so that the thread's loop comes to nothing else. */
static void
on_hurry (gpointer user)
{
  FalSharedConnection *shared = user;

  for (guint i = 0; i < shared->n_lanes; i++)
    cut (&shared->lanes[i]);
}

FalTimer *
fal_shared_connection_new_timer (
    FalSharedConnection *shared, void (*fired) (gpointer user), gpointer user)
{
  return fal_timer_new (fal_net_thread_get_context (shared->thread), fired, user);
}

/* ---- life ---- */

static void
lane_init (Lane *lane, FalSharedConnection *shared, guint number)
{
  lane->shared = shared;
  lane->number = number;
  lane->turns = fal_request_turns_new ();
  lane->shares = fal_shares_new ();
}

static void
lane_clear (Lane *lane)
{
  fal_request_turns_free (lane->turns);
  fal_shares_free (lane->shares);
  g_clear_pointer (&lane->guard, fal_socket_guard_unref);
}

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
  shared->n_lanes = settings->connections;
  shared->lanes = g_new0 (Lane, shared->n_lanes);
  for (guint i = 0; i < shared->n_lanes; i++)
    lane_init (&shared->lanes[i], shared, i);
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
  for (guint i = 0; i < shared->n_lanes; i++)
    lane_clear (&shared->lanes[i]);
  g_free (shared->lanes);
  fal_endpoint_free (shared->endpoint);
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
      "The connection of connection-key \"%s\" is in use by an element with another value of %s. "
      "Set %s alike on all elements that share the connection, or another connection-key.",
      shared->key, name, name);
  return FALSE;
}

/* NULL: there is none yet, and the process cannot have a further one. */
static FalSharedConnection *
find_or_make_locked (FalSettings *settings, FalEndpoint *endpoint, GError **error)
{
  const gchar *key = settings->connection_key;
  FalSharedConnection *shared =
      key && *key && registry ? g_hash_table_lookup (registry, key) : NULL;

  if (shared != NULL || !fal_resources_check (error)) {
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
join_lane (Lane *lane, const Member *member)
{
  gpointer user = member->users[lane->number];

  fal_request_turns_join (lane->turns, user);
  fal_shares_join (lane->shares, user, g_get_monotonic_time ());
  if (lane->open)
    member->events.connection.opened (user);
  tell_shares (lane);
  if (lane->state == FAL_DIALER_FAILED)
    fal_connection_close (lane->connection); /* a newcomer may try again */
  else if (lane->state != FAL_DIALER_IDLE)
    member->events.connection.state_changed (user, lane->state);
}

static void
on_join (gpointer data)
{
  const Joining *joining = data;
  FalSharedConnection *shared = joining->shared;

  g_ptr_array_add (shared->members, joining->member);
  for (guint i = 0; i < shared->n_lanes; i++)
    join_lane (&shared->lanes[i], joining->member);
}

static void
post_join (FalSharedConnection *shared, const Member *member)
{
  Joining *joining = g_new (Joining, 1);

  *joining = (Joining){ shared, g_memdup2 (member, sizeof *member) };
  fal_net_thread_post (shared->thread, on_join, joining, g_free);
}

static void
join_locked (FalSharedConnection *shared, const FalMemberEvents *events, const gpointer *users)
{
  Member member = { .events = *events, .tag = shared->last_tag++ };

  for (guint i = 0; i < shared->n_lanes; i++)
    member.users[i] = users[i];
  if (shared->users++ > 0)
    g_atomic_ref_count_inc (&shared->refs);
  post_join (shared, &member);
}

/* Whether a member with these settings may join; the first one's join starts the thread. */
static gboolean
admit_locked (FalSharedConnection *shared, const FalSettings *settings, GError **error)
{
  if (shared->users > 0)
    return check_same (shared, settings, error);
  if (fal_net_thread_start (shared->thread, error))
    return TRUE;
  if (shared->key)
    g_hash_table_remove (registry, shared->key);
  shared_unref (shared);
  return FALSE;
}

gboolean
fal_shared_connection_join (FalSettings *settings, FalEndpoint *endpoint,
    const FalMemberEvents *events, const gpointer *users, FalSharedConnection **joined, guint *tag,
    GError **error)
{
  FalSharedConnection *shared;
  gboolean admitted;

  g_mutex_lock (&registry_lock);
  shared = find_or_make_locked (settings, endpoint, error);
  admitted = shared != NULL && admit_locked (shared, settings, error);
  if (admitted) {
    *joined = shared;
    *tag = shared->last_tag;
    join_locked (shared, events, users);
  }
  g_mutex_unlock (&registry_lock);
  return admitted;
}

/* ---- leaving ---- */

/* What the net thread does for a member that leaves, and waits for. */
typedef struct {
  FalSharedConnection *shared;
  gpointer user;
  void (*left) (gpointer user);
  gboolean done;
} Leaving;

/* The member, whose users are not called any more; NULL: it did not join yet. */
static Member *
steal_member (FalSharedConnection *shared, gpointer user)
{
  for (guint i = 0; i < shared->members->len; i++)
    if (((const Member *) shared->members->pdata[i])->users[0] == user)
      return g_ptr_array_steal_index (shared->members, i);
  return NULL;
}

/* What it has to pay for is told once more, and that no more comes to it. */
static void
end_share (const Lane *lane, const Member *member, gint64 now)
{
  gpointer user = member->users[lane->number];
  FalPaidTime paid, last;

  fal_shares_get (lane->shares, user, &paid);
  last = (FalPaidTime) { .time = (gint64) fal_paid_time_get (&paid, now) };
  member->events.share_changed (user, &last);
}

static void
leave_lane (Lane *lane, const Member *member)
{
  gpointer user = member->users[lane->number];
  gint64 now = g_get_monotonic_time ();

  end_share (lane, member, now);
  fal_shares_leave (lane->shares, user, now);
  tell_shares (lane);
  fal_request_turns_forget (lane->turns, user);
  if (lane->last_answered == user)
    lane->last_answered = NULL;
  send_next (lane);
}

static void
on_leave (gpointer data)
{
  Leaving *leaving = data;
  FalSharedConnection *shared = leaving->shared;
  g_autofree Member *member = steal_member (shared, leaving->user);

  for (guint i = 0; member != NULL && i < shared->n_lanes; i++)
    leave_lane (&shared->lanes[i], member);
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
fal_shared_connection_get_connection (FalSharedConnection *shared, guint lane)
{
  return shared->lanes[lane].connection;
}

void
fal_shared_connection_set_ready (FalSharedConnection *shared, guint lane)
{
  shared->lanes[lane].ready = TRUE;
  stop_ready_timer (&shared->lanes[lane]);
}

gboolean
fal_shared_connection_is_ready (FalSharedConnection *shared, guint lane)
{
  return shared->lanes[lane].ready;
}

void
fal_shared_connection_foreach (
    FalSharedConnection *shared, guint lane, void (*function) (gpointer user))
{
  for (guint i = 0; i < shared->members->len; i++)
    function (((const Member *) shared->members->pdata[i])->users[lane]);
}

gboolean
fal_shared_connection_any (
    FalSharedConnection *shared, guint lane, gboolean (*is_so) (gpointer user))
{
  for (guint i = 0; i < shared->members->len; i++)
    if (is_so (((const Member *) shared->members->pdata[i])->users[lane]))
      return TRUE;
  return FALSE;
}
