/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which picture is fetched when, and by which route. Net thread: all of it runs in the main context
 * that was the thread's default when the fetcher was made. */
#include "downloader-private.h"
#include "host-list.h"
#include "public-address.h"

#define MAX_RUNNING 8
#define MAX_WAITING 64
#define TOO_MANY 0
#define KEEP_IDLE (5 * G_USEC_PER_SEC)  /* a route that nothing uses */
#define KEEP_LONG (60 * G_USEC_PER_SEC) /* any route: then its name is looked up anew */
#define DRAIN_TICKS 200                 /* of a millisecond, for sockets to be closed */

/* ---- What is to be done when ---- */

static gint64
find_deadline (GPtrArray *fetches)
{
  gint64 first = G_MAXINT64;

  for (guint i = 0; i < fetches->len; i++)
    first = MIN (first, ((FalDownload *) fetches->pdata[i])->deadline);
  return first;
}

static gint64
get_end (const FalPinnedSession *route)
{
  return MIN (route->made + KEEP_LONG, route->used + KEEP_IDLE);
}

static gboolean
can_start (const FalDownloader *fetcher)
{
  return fetcher->waiting->len > 0 && fetcher->running->len < MAX_RUNNING;
}

void
fal_downloader_schedule (FalDownloader *fetcher)
{
  gint64 next = MIN (find_deadline (fetcher->waiting), find_deadline (fetcher->running));

  for (guint i = 0; i < fetcher->routes->len; i++)
    next = MIN (next, get_end (fetcher->routes->pdata[i]));
  if (can_start (fetcher))
    next = 0;
  g_source_set_ready_time (fetcher->timer, next == G_MAXINT64 ? -1 : next);
}

/* ---- Routes ---- */

FalPinnedSession *
fal_downloader_find_route (FalDownloader *fetcher, GUri *uri)
{
  gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < fetcher->routes->len; i++) {
    FalPinnedSession *route = fetcher->routes->pdata[i];

    if (route->port == fal_download_get_port (uri) && now < get_end (route) &&
        g_ascii_strcasecmp (route->host, g_uri_get_host (uri)) == 0)
      return route;
  }
  return NULL;
}

FalPinnedSession *
fal_downloader_add_route (FalDownloader *fetcher, GUri *uri, const gchar *proxy, GList *addresses)
{
  const FalPinnedSessionConfig config = {
    .host = g_uri_get_host (uri),
    .port = fal_download_get_port (uri),
    .addresses = addresses,
    .proxy = proxy,
    .user_agent = fetcher->user_agent,
    .tls_database = fetcher->tls_database,
    .tls_validation_flags = fetcher->tls_validation_flags,
    .sockets = fetcher->sockets,
  };
  FalPinnedSession *route = fal_pinned_session_new (&config);

  route->made = g_get_monotonic_time ();
  g_ptr_array_add (fetcher->routes, route);
  return route;
}

/* ---- The fetcher ---- */

static FalDownload *
find_late (GPtrArray *fetches, gint64 now)
{
  for (guint i = 0; i < fetches->len; i++) {
    if (((FalDownload *) fetches->pdata[i])->deadline <= now)
      return fetches->pdata[i];
  }
  return NULL;
}

static void
fail_late (FalDownload *fetch)
{
  if (fetch->deadline == TOO_MANY)
    fal_download_fail (
        fetch, G_IO_ERROR_BUSY, "more pictures are linked to than can be fetched in time");
  else
    fal_download_fail (
        fetch, G_IO_ERROR_TIMED_OUT, "a picture that a result links to took too long");
}

static void
expire_routes (FalDownloader *fetcher, gint64 now)
{
  for (guint i = fetcher->routes->len; i > 0; i--) {
    if (get_end (fetcher->routes->pdata[i - 1]) <= now)
      g_ptr_array_remove_index (fetcher->routes, i - 1);
  }
}

/* One thing at a time: the owner may free the fetcher when it is told. */
static gboolean
on_timer (gpointer data)
{
  FalDownloader *fetcher = data;
  gint64 now = g_get_monotonic_time ();
  g_autoptr (FalDownload) fetch = NULL;
  FalDownload *late = find_late (fetcher->running, now);

  if (late == NULL)
    late = find_late (fetcher->waiting, now);
  expire_routes (fetcher, now);
  if (late != NULL) {
    fetch = fal_download_ref (late);
    fail_late (fetch);
    return G_SOURCE_CONTINUE;
  }
  if (can_start (fetcher)) {
    fetch = fal_download_ref (fetcher->waiting->pdata[0]);
    g_ptr_array_add (fetcher->running, g_ptr_array_steal_index (fetcher->waiting, 0));
  }
  fal_downloader_schedule (fetcher);
  if (fetch != NULL)
    fal_download_start (fetch);
  return G_SOURCE_CONTINUE;
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  g_source_set_ready_time (source, -1);
  return callback (data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

static void
free_weak_ref (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

FalDownloader *
fal_downloader_new (void)
{
  FalDownloader *fetcher = g_new0 (FalDownloader, 1);

  fetcher->context = g_main_context_ref_thread_default ();
  fetcher->waiting = g_ptr_array_new_with_free_func ((GDestroyNotify) fal_download_unref);
  fetcher->running = g_ptr_array_new_with_free_func ((GDestroyNotify) fal_download_unref);
  fetcher->routes = g_ptr_array_new_with_free_func ((GDestroyNotify) fal_pinned_session_unref);
  fetcher->sockets = g_ptr_array_new_with_free_func (free_weak_ref);
  fetcher->tls_validation_flags = G_TLS_CERTIFICATE_VALIDATE_ALL;
  fetcher->is_allowed_address = fal_address_is_public;
  fetcher->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (fetcher->timer, on_timer, fetcher, NULL);
  g_source_attach (fetcher->timer, fetcher->context);
  return fetcher;
}

/* Forgets the sockets that are gone. */
static gboolean
has_sockets (FalDownloader *fetcher)
{
  for (guint i = fetcher->sockets->len; i > 0; i--) {
    g_autoptr (GSocket) socket = g_weak_ref_get (fetcher->sockets->pdata[i - 1]);

    if (socket == NULL)
      g_ptr_array_remove_index_fast (fetcher->sockets, i - 1);
  }
  return fetcher->sockets->len > 0;
}

static gboolean
on_tick (gpointer data)
{
  guint *ticks = data;

  ++*ticks;
  return G_SOURCE_CONTINUE;
}

/* What was begun comes back, being cancelled. TLS says goodbye on a thread of its own. */
static void
drain (FalDownloader *fetcher)
{
  g_autoptr (GSource) ticker = g_timeout_source_new (1);
  guint ticks = 0;

  g_source_set_callback (ticker, on_tick, &ticks, NULL);
  g_source_attach (ticker, fetcher->context);
  while (fetcher->pending > 0 || (ticks < DRAIN_TICKS && has_sockets (fetcher)))
    g_main_context_iteration (fetcher->context, TRUE);
  g_source_destroy (ticker);
}

static void
let_all_go (GPtrArray *fetches)
{
  while (fetches->len > 0)
    fal_download_drop (fetches->pdata[fetches->len - 1]);
}

void
fal_downloader_free (FalDownloader *fetcher)
{
  g_source_destroy (fetcher->timer);
  let_all_go (fetcher->waiting);
  let_all_go (fetcher->running);
  g_ptr_array_set_size (fetcher->routes, 0);
  drain (fetcher);
  g_source_unref (fetcher->timer);
  g_ptr_array_unref (fetcher->waiting);
  g_ptr_array_unref (fetcher->running);
  g_ptr_array_unref (fetcher->routes);
  g_ptr_array_unref (fetcher->sockets);
  g_main_context_unref (fetcher->context);
  g_clear_object (&fetcher->tls_database);
  g_free (fetcher->hosts);
  g_free (fetcher->proxy);
  g_free (fetcher->user_agent);
  g_free (fetcher);
}

/* Whether it became another one. */
static gboolean
set_string (gchar **field, const gchar *value)
{
  if (g_strcmp0 (*field, value) == 0)
    return FALSE;
  g_free (*field);
  *field = g_strdup (value);
  return TRUE;
}

void
fal_downloader_configure (FalDownloader *fetcher, const FalDownloaderConfig *config)
{
  gboolean (*is_allowed) (GInetAddress *) =
      config->is_allowed_address ? config->is_allowed_address : fal_address_is_public;
  const gchar *proxy = config->proxy && *config->proxy ? config->proxy : NULL;
  gboolean changed = set_string (&fetcher->proxy, proxy);

  changed |= set_string (&fetcher->user_agent, config->user_agent);
  changed |= g_set_object (&fetcher->tls_database, config->tls_database);
  changed |= fetcher->tls_validation_flags != config->tls_validation_flags;
  changed |= fetcher->is_allowed_address != is_allowed;
  fetcher->tls_validation_flags = config->tls_validation_flags;
  fetcher->is_allowed_address = is_allowed;
  set_string (&fetcher->hosts, config->hosts);
  fetcher->max_size = MIN (config->max_size, G_MAXSSIZE / 2);
  fetcher->timeout = config->timeout;
  if (changed)
    g_ptr_array_set_size (fetcher->routes, 0);
}

void
fal_downloader_start (
    FalDownloader *fetcher, const gchar *uri, FalDownloaded fetched, gpointer user)
{
  FalDownload *fetch = fal_download_new (fetcher, uri, fetched, user);

  if (fetcher->waiting->len >= MAX_WAITING)
    fetch->deadline = TOO_MANY;
  else if (fetcher->timeout > 0)
    fetch->deadline = g_get_monotonic_time () + fetcher->timeout;
  else
    fetch->deadline = G_MAXINT64;
  g_ptr_array_add (fetcher->waiting, fetch);
  fal_downloader_schedule (fetcher);
}

guint64
fal_downloader_get_bytes (const FalDownloader *fetcher)
{
  return fetcher->bytes;
}
