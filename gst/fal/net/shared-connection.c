/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line: a connection shared by its members. The list of lines is guarded by one mutex of the
 * process; all else belongs to the net thread, but for what stands under the line's lock. */
#include "shared-connection.h"
#include "fal/settings/properties.h"
#include "fal/policy/request-turns.h"

/* How long the net thread may take for a polite end, µs. */
#define NET_PATIENCE (80 * G_TIME_SPAN_MILLISECOND)

typedef struct {
  FalConnectionEvents events;
  gpointer user;
  guint tag;
} Member;

struct _FalSharedConnection {
  gchar *key;            /* NULL: not shared */
  FalSettings *settings; /* of the first member */
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  guint users;          /* those that joined and did not leave; lines_lock */
  gatomicrefcount refs; /* one for each that joined and whose leave did not return */
  guint last_tag;       /* lines_lock */

  GMutex lock;
  GCond changed;
  GPtrArray *members;    /* Member; changed on the net thread, with the lock held */
  FalSocketGuard *guard; /* lock; of the open link */
  gboolean ended;        /* lock; the net thread has nothing more to do */

  /* net thread */
  FalEndpoint *endpoint; /* until the connection takes it */
  FalConnection *connection;
  FalDialerState state;
  gboolean open, ready;
  GSource *ready_timer;
  FalRequestTurns *turns;
  gpointer last_answered;
};

static GMutex lines_lock;
static GHashTable *lines; /* key to FalSharedConnection; lines_lock */

/* ---- turns ---- */

static void
send_next (FalSharedConnection *line)
{
  gpointer user;
  GBytes *message;

  while ((message = fal_request_turns_take (line->turns, &user))) {
    fal_connection_send (line->connection, message);
    g_bytes_unref (message);
  }
}

void
fal_shared_connection_send (FalSharedConnection *line, gpointer user, GBytes *message)
{
  fal_request_turns_push (line->turns, user, message);
  send_next (line);
}

static gpointer
find_tagged (const FalSharedConnection *line, guint tag)
{
  for (guint i = 0; i < line->members->len; i++) {
    const Member *member = line->members->pdata[i];

    if (member->tag == tag)
      return member->user;
  }
  return NULL;
}

/* Where nothing is out, it is for the only member there is, or for nobody. */
static gpointer
find_in_order (FalSharedConnection *line)
{
  gboolean known;
  gpointer user = fal_request_turns_answer_oldest (line->turns, &known);

  if (!known && line->members->len == 1)
    return ((Member *) line->members->pdata[0])->user;
  return user;
}

gpointer
fal_shared_connection_take_answered (FalSharedConnection *line, gint64 tag)
{
  gpointer user = tag >= 0 ? find_tagged (line, tag) : find_in_order (line);

  if (tag >= 0)
    fal_request_turns_answer (line->turns, user);
  send_next (line);
  line->last_answered = user;
  return user;
}

gpointer
fal_shared_connection_get_last_answered (FalSharedConnection *line)
{
  return line->last_answered;
}

/* Nothing of it may be met any more. */
static void
forget_member (FalSharedConnection *line, gpointer user)
{
  fal_request_turns_forget (line->turns, user);
  if (line->last_answered == user)
    line->last_answered = NULL;
}

/* ---- what the connection tells ---- */

static void
on_state_changed (gpointer user, FalDialerState state)
{
  FalSharedConnection *line = user;

  line->state = state;
  for (guint i = 0; i < line->members->len; i++) {
    const Member *member = line->members->pdata[i];

    member->events.state_changed (member->user, state);
  }
}

static void
stop_ready_timer (FalSharedConnection *line)
{
  if (line->ready_timer)
    g_source_destroy (line->ready_timer);
  g_clear_pointer (&line->ready_timer, g_source_unref);
}

static gboolean
on_never_ready (gpointer data)
{
  FalSharedConnection *line = data;

  stop_ready_timer (line);
  fal_connection_fail (
      line->connection, FAL_FAULT_TIMED_OUT, "the app did not say that it is ready");
  return G_SOURCE_REMOVE;
}

static void
start_ready_timer (FalSharedConnection *line)
{
  if (line->ready || line->settings->connect_timeout == 0)
    return;
  line->ready_timer = g_timeout_source_new (line->settings->connect_timeout);
  g_source_set_callback (line->ready_timer, on_never_ready, line, NULL);
  g_source_attach (line->ready_timer, line->context);
}

static void
on_opened (gpointer user)
{
  FalSharedConnection *line = user;

  fal_request_turns_clear (line->turns);
  line->open = TRUE;
  line->ready = !fal_settings_waits_for_ready (line->settings);
  g_mutex_lock (&line->lock);
  line->guard = fal_socket_guard_ref (fal_connection_get_guard (line->connection));
  g_mutex_unlock (&line->lock);
  start_ready_timer (line);
  for (guint i = 0; i < line->members->len; i++) {
    const Member *member = line->members->pdata[i];

    member->events.opened (member->user);
  }
}

static void
on_message (gpointer user, GBytes *message, gboolean text)
{
  FalSharedConnection *line = user;
  const Member *first = line->members->pdata[0];

  first->events.message (first->user, message, text);
}

static void
on_ended (gpointer user, FalVerdict verdict, const FalFault *fault, const GError *error)
{
  FalSharedConnection *line = user;

  line->open = FALSE;
  stop_ready_timer (line);
  fal_request_turns_clear (line->turns);
  g_mutex_lock (&line->lock);
  g_clear_pointer (&line->guard, fal_socket_guard_unref);
  g_mutex_unlock (&line->lock);
  for (guint i = 0; i < line->members->len; i++) {
    const Member *member = line->members->pdata[i];

    member->events.ended (member->user, verdict, fault, error);
  }
}

static const Member *
find_provider (const FalSharedConnection *line)
{
  for (guint i = 0; i < line->members->len; i++) {
    const Member *member = line->members->pdata[i];

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
request_token (gpointer user, FalTokenPromise *provision)
{
  const Member *member = find_provider (user);

  if (member)
    member->events.request_token (member->user, provision);
  else
    fal_token_promise_answer (provision, NULL);
}

static gboolean
accept_certificate (
    gpointer user, GTlsConnection *tls, GTlsCertificate *certificate, GTlsCertificateFlags errors)
{
  FalSharedConnection *line = user;
  const Member *first = line->members->pdata[0];

  return first->events.accept_certificate (first->user, tls, certificate, errors);
}

/* ---- the thread ---- */

void
fal_shared_connection_hop (
    FalSharedConnection *line, GSourceFunc function, gpointer data, GDestroyNotify destroy)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  /* Attached rather than invoked: before the net thread runs, an invocation would run here. */
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, function, data, destroy);
  g_source_attach (source, line->context);
}

static gpointer
net_main (gpointer data)
{
  FalSharedConnection *line = data;
  const FalConnectionEvents events = { on_opened, on_message, on_ended, on_state_changed,
    has_provider, request_token, accept_certificate };

  g_main_context_push_thread_default (line->context);
  line->connection = fal_connection_new (g_steal_pointer (&line->endpoint), &events, line);
  g_main_loop_run (line->loop);
  stop_ready_timer (line);
  fal_request_turns_clear (line->turns);
  g_clear_pointer (&line->connection, fal_connection_free);
  g_main_context_pop_thread_default (line->context);
  g_mutex_lock (&line->lock);
  line->ended = TRUE;
  g_cond_broadcast (&line->changed);
  g_mutex_unlock (&line->lock);
  return NULL;
}

static FalSharedConnection *
line_new (FalSettings *settings, FalEndpoint *endpoint)
{
  FalSharedConnection *line = g_new0 (FalSharedConnection, 1);

  g_atomic_ref_count_init (&line->refs);
  line->settings = fal_settings_ref (settings);
  line->endpoint = endpoint;
  line->context = g_main_context_new ();
  line->loop = g_main_loop_new (line->context, FALSE);
  line->members = g_ptr_array_new_with_free_func (g_free);
  line->turns = fal_request_turns_new ();
  g_mutex_init (&line->lock);
  g_cond_init (&line->changed);
  return line;
}

static void
line_unref (FalSharedConnection *line)
{
  if (!g_atomic_ref_count_dec (&line->refs))
    return;
  g_free (line->key);
  fal_settings_unref (line->settings);
  g_main_loop_unref (line->loop);
  g_main_context_unref (line->context);
  g_ptr_array_unref (line->members);
  fal_request_turns_free (line->turns);
  g_clear_pointer (&line->guard, fal_socket_guard_unref);
  g_mutex_clear (&line->lock);
  g_cond_clear (&line->changed);
  g_free (line);
}

/* ---- joining and leaving ---- */

/* A member on its way in or out. */
typedef struct {
  FalSharedConnection *line;
  Member *member; /* joining */
  gpointer user;  /* leaving */
  gboolean done;  /* line's lock */
} Move;

static gboolean
on_join (gpointer data)
{
  Move *move = data;
  FalSharedConnection *line = move->line;
  const Member *member = move->member;

  g_mutex_lock (&line->lock);
  g_ptr_array_add (line->members, move->member);
  g_mutex_unlock (&line->lock);
  fal_request_turns_set_users (line->turns, line->members->len);
  if (line->open)
    member->events.opened (member->user);
  if (line->state == FAL_DIALER_FAILED)
    fal_connection_close (line->connection); /* a newcomer may try again */
  else if (line->state != FAL_DIALER_IDLE)
    member->events.state_changed (member->user, line->state);
  return G_SOURCE_REMOVE;
}

static gboolean
on_leave (gpointer data)
{
  Move *move = data;
  FalSharedConnection *line = move->line;

  forget_member (line, move->user);
  g_mutex_lock (&line->lock);
  for (guint i = 0; i < line->members->len; i++) {
    if (((Member *) line->members->pdata[i])->user == move->user)
      g_ptr_array_remove_index (line->members, i--);
  }
  fal_request_turns_set_users (line->turns, line->members->len);
  move->done = TRUE;
  g_cond_broadcast (&line->changed);
  g_mutex_unlock (&line->lock);
  send_next (line);
  return G_SOURCE_REMOVE;
}

static gboolean
on_quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

/* A server that floods keeps libsoup reading, so that the thread's loop comes to nothing else: its
 * socket is then shut down from here. */
static void
wait_for (FalSharedConnection *line, const gboolean *done)
{
  gint64 patience = g_get_monotonic_time () + NET_PATIENCE;

  g_mutex_lock (&line->lock);
  while (!*done && g_cond_wait_until (&line->changed, &line->lock, patience))
    ;
  if (!*done && line->guard)
    fal_socket_guard_cut (line->guard, FAL_FAULT_ASKED);
  while (!*done)
    g_cond_wait (&line->changed, &line->lock);
  g_mutex_unlock (&line->lock);
}

static gboolean
check_same (const FalSharedConnection *line, const FalSettings *settings, GError **error)
{
  const gchar *name = fal_properties_find_difference (line->settings, settings);

  if (name == NULL)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
      "connection-key \"%s\" is in use by an element with another %s; set %s alike on all elements "
      "that share the connection, or another connection-key",
      line->key, name, name);
  return FALSE;
}

/* With lines_lock held. */
static FalSharedConnection *
find_or_make (FalSettings *settings, FalEndpoint *endpoint)
{
  const gchar *key = settings->connection_key;
  FalSharedConnection *line = key && *key && lines ? g_hash_table_lookup (lines, key) : NULL;

  if (line != NULL) {
    fal_endpoint_free (endpoint);
    return line;
  }
  line = line_new (settings, endpoint);
  if (key == NULL || *key == '\0')
    return line;
  line->key = g_strdup (key);
  if (lines == NULL)
    lines = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (lines, line->key, line);
  return line;
}

gboolean
fal_shared_connection_join (FalSettings *settings, FalEndpoint *endpoint,
    const FalConnectionEvents *events, gpointer user, FalSharedConnection **joined, guint *tag,
    GError **error)
{
  Member *member = g_new0 (Member, 1);
  Move *move = g_new0 (Move, 1);
  FalSharedConnection *line;

  g_mutex_lock (&lines_lock);
  line = find_or_make (settings, endpoint);
  if (line->users > 0 && !check_same (line, settings, error)) {
    g_mutex_unlock (&lines_lock);
    g_free (member);
    g_free (move);
    return FALSE;
  }
  *member = (Member){ *events, user, line->last_tag++ };
  *move = (Move){ line, member };
  *tag = member->tag;
  *joined = line;
  fal_shared_connection_hop (line, on_join, move, g_free);
  if (line->users++ == 0)
    line->thread = g_thread_new ("fal-net", net_main, line);
  else
    g_atomic_ref_count_inc (&line->refs);
  g_mutex_unlock (&lines_lock);
  return TRUE;
}

void
fal_shared_connection_leave (FalSharedConnection *line, gpointer user)
{
  Move move = { line, NULL, user };
  gboolean last;

  g_mutex_lock (&lines_lock);
  last = --line->users == 0;
  if (last && line->key)
    g_hash_table_remove (lines, line->key);
  /* With the lock held: nobody's leave is behind the last one's. */
  if (last)
    fal_shared_connection_hop (line, on_quit, line->loop, NULL);
  else
    fal_shared_connection_hop (line, on_leave, &move, NULL);
  g_mutex_unlock (&lines_lock);
  wait_for (line, last ? &line->ended : &move.done);
  if (last)
    g_thread_join (line->thread);
  line_unref (line);
}

/* ---- questions ---- */

FalConnection *
fal_shared_connection_get_connection (FalSharedConnection *line)
{
  return line->connection;
}

void
fal_shared_connection_set_ready (FalSharedConnection *line)
{
  line->ready = TRUE;
  stop_ready_timer (line);
}

gboolean
fal_shared_connection_is_ready (FalSharedConnection *line)
{
  return line->ready;
}

void
fal_shared_connection_foreach (FalSharedConnection *line, void (*function) (gpointer member))
{
  for (guint i = 0; i < line->members->len; i++)
    function (((Member *) line->members->pdata[i])->user);
}

gboolean
fal_shared_connection_any (FalSharedConnection *line, gboolean (*is_so) (gpointer member))
{
  for (guint i = 0; i < line->members->len; i++)
    if (is_so (((Member *) line->members->pdata[i])->user))
      return TRUE;
  return FALSE;
}
