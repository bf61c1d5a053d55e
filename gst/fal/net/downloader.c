/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which picture is downloaded when. All of it runs in the main context that was the thread's
 * default when the downloader was made. */
#include "downloader.h"
#include "download.h"
#include "public-address.h"
#include "timer.h"

#define MAX_RUNNING 8
#define MAX_WAITING 64
#define USUAL_TIMEOUT 10000                       /* ms, where requests have none */
#define DRAIN_TIME (20 * G_TIME_SPAN_MILLISECOND) /* for sockets that were cut */

struct _FalDownloader {
  GMainContext *context;
  FalTimer *timer;    /* steps the downloader when its time has come */
  GPtrArray *waiting; /* Job, owned */
  GPtrArray *running; /* Job, owned */
  GPtrArray *ending;  /* FalDownload, a reference: over, but busy */
  FalSettings *settings;
  FalAddressCheck is_allowed;
  FalPublicSession *session; /* for the next download; NULL: one is to be made */
  FalSocketList *sockets;    /* of this session and those before it */
  guint64 bytes;             /* of the downloads that are over */
};

typedef struct {
  FalDownloader *downloader;
  FalDownload *download;
  FalDownloaded downloaded;
  gpointer user;
  gint64 deadline; /* monotonic µs */
  gboolean is_refused;
} Job;

static void
job_free (gpointer data)
{
  Job *job = data;

  fal_download_unref (job->download);
  g_free (job);
}

/* ---- When ---- */

static gint64
find_deadline (GPtrArray *jobs)
{
  gint64 first = G_MAXINT64;

  for (guint i = 0; i < jobs->len; i++)
    first = MIN (first, ((Job *) jobs->pdata[i])->deadline);
  return first;
}

static gboolean
can_start (const FalDownloader *downloader)
{
  return downloader->waiting->len > 0 && downloader->running->len < MAX_RUNNING;
}

static void
schedule (FalDownloader *downloader)
{
  gint64 next = MIN (find_deadline (downloader->waiting), find_deadline (downloader->running));

  if (can_start (downloader))
    next = 0;
  fal_timer_set (downloader->timer, next);
}

static Job *
find_late (GPtrArray *jobs, gint64 now)
{
  for (guint i = 0; i < jobs->len; i++) {
    if (((Job *) jobs->pdata[i])->deadline <= now)
      return jobs->pdata[i];
  }
  return NULL;
}

/* ---- The end of a download ---- */

/* Forgets those that are busy no more. */
static gboolean
has_busy (FalDownloader *downloader)
{
  for (guint i = downloader->ending->len; i > 0; i--) {
    if (!fal_download_is_busy (downloader->ending->pdata[i - 1]))
      g_ptr_array_remove_index_fast (downloader->ending, i - 1);
  }
  return downloader->ending->len > 0;
}

/* @job is freed. */
static void
let_go (FalDownloader *downloader, Job *job)
{
  has_busy (downloader);
  downloader->bytes += fal_download_get_size (job->download);
  if (fal_download_is_busy (job->download))
    g_ptr_array_add (downloader->ending, fal_download_ref (job->download));
  if (!g_ptr_array_remove (downloader->running, job))
    g_ptr_array_remove (downloader->waiting, job);
}

/* A session keeps the addresses that it found for a host. Where none of them led to an answer, the
 * next download is to look anew. The owner may free the downloader when it is told. */
static void
on_ended (gpointer user, GBytes *picture, const GError *error)
{
  Job *job = user;
  FalDownloader *downloader = job->downloader;
  FalDownloaded downloaded = job->downloaded;
  gpointer owner = job->user;

  if (error != NULL && fal_download_is_asking (job->download))
    g_clear_pointer (&downloader->session, fal_public_session_unref);
  let_go (downloader, job);
  schedule (downloader);
  downloaded (owner, picture, error);
}

/* ---- The steps ---- */

static void
fail (Job *job)
{
  g_autoptr (FalDownload) download = fal_download_ref (job->download);

  if (job->is_refused)
    fal_download_fail (
        download, G_IO_ERROR_BUSY, "more pictures are linked to than can be downloaded in time");
  else
    fal_download_fail (
        download, G_IO_ERROR_TIMED_OUT, "a picture that a result links to took too long");
}

static void
start_next (FalDownloader *downloader)
{
  Job *job = g_ptr_array_steal_index (downloader->waiting, 0);
  g_autoptr (FalDownload) download = fal_download_ref (job->download);

  g_ptr_array_add (downloader->running, job);
  schedule (downloader);
  if (downloader->session == NULL)
    downloader->session =
        fal_public_session_new (downloader->settings, downloader->is_allowed, downloader->sockets);
  fal_download_start (download, downloader->settings, downloader->session);
}

/* One thing at a time: the owner may free the downloader when it is told. */
static void
on_timer (gpointer data)
{
  FalDownloader *downloader = data;
  gint64 now = g_get_monotonic_time ();
  Job *late = find_late (downloader->running, now);

  if (late == NULL)
    late = find_late (downloader->waiting, now);
  if (late != NULL)
    fail (late);
  else if (can_start (downloader))
    start_next (downloader);
  else
    schedule (downloader);
}

/* ---- The downloader ---- */

FalDownloader *
fal_downloader_new (void)
{
  FalDownloader *downloader = g_new0 (FalDownloader, 1);

  downloader->context = g_main_context_ref_thread_default ();
  downloader->waiting = g_ptr_array_new_with_free_func (job_free);
  downloader->running = g_ptr_array_new_with_free_func (job_free);
  downloader->ending = g_ptr_array_new_with_free_func ((GDestroyNotify) fal_download_unref);
  downloader->is_allowed = fal_address_is_public;
  downloader->sockets = fal_socket_list_new ();
  downloader->timer = fal_timer_new (downloader->context, on_timer, downloader);
  return downloader;
}

/* Waits until what was under way has come back, which it does at once, being cancelled or cut. Then
 * the session goes, and its connections with it: cut before, none waits for a peer's goodbye. */
static void
drain (FalDownloader *downloader)
{
  while (has_busy (downloader))
    g_main_context_iteration (downloader->context, TRUE);
  fal_socket_list_cut_all (downloader->sockets);
  g_clear_pointer (&downloader->session, fal_public_session_unref);
  fal_socket_list_wait (downloader->sockets, downloader->context, DRAIN_TIME);
}

static void
drop_all (FalDownloader *downloader, GPtrArray *jobs)
{
  while (jobs->len > 0) {
    Job *job = jobs->pdata[jobs->len - 1];

    fal_download_drop (job->download);
    let_go (downloader, job);
  }
}

void
fal_downloader_free (FalDownloader *downloader)
{
  fal_timer_free (downloader->timer);
  drop_all (downloader, downloader->waiting);
  drop_all (downloader, downloader->running);
  drain (downloader);
  g_ptr_array_unref (downloader->waiting);
  g_ptr_array_unref (downloader->running);
  g_ptr_array_unref (downloader->ending);
  g_clear_pointer (&downloader->settings, fal_settings_unref);
  fal_socket_list_unref (downloader->sockets);
  g_main_context_unref (downloader->context);
  g_free (downloader);
}

void
fal_downloader_configure (FalDownloader *downloader, FalSettings *settings)
{
  if (downloader->session != NULL && !fal_public_session_fits (downloader->session, settings))
    g_clear_pointer (&downloader->session, fal_public_session_unref);
  g_clear_pointer (&downloader->settings, fal_settings_unref);
  downloader->settings = fal_settings_ref (settings);
}

void
fal_downloader_set_address_check (FalDownloader *downloader, FalAddressCheck is_allowed)
{
  downloader->is_allowed = is_allowed;
  g_clear_pointer (&downloader->session, fal_public_session_unref);
}

void
fal_downloader_start (
    FalDownloader *downloader, const gchar *link, FalDownloaded downloaded, gpointer user)
{
  guint timeout = downloader->settings->request_timeout;
  Job *job = g_new (Job, 1);

  *job = (Job){ downloader, fal_download_new (link, on_ended, job), downloaded, user };
  job->is_refused = downloader->waiting->len >= MAX_WAITING;
  job->deadline = job->is_refused ? 0
                                  : g_get_monotonic_time () + (timeout ? timeout : USUAL_TIMEOUT) *
                                                                  G_TIME_SPAN_MILLISECOND;
  g_ptr_array_add (downloader->waiting, job);
  schedule (downloader);
}

static guint64
add_sizes (GPtrArray *jobs)
{
  guint64 sum = 0;

  for (guint i = 0; i < jobs->len; i++)
    sum += fal_download_get_size (((Job *) jobs->pdata[i])->download);
  return sum;
}

guint64
fal_downloader_get_bytes (const FalDownloader *downloader)
{
  return downloader->bytes + add_sizes (downloader->running);
}
