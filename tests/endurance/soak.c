/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-soak SECONDS [CSV] | -l: pipelines of several kinds at once, of which one frame in a hundred
 * brings a trouble. At every step the books of each are checked, and what its bus and its output
 * say; a line a second goes into CSV, for tests/soak to draw. When the time is over every stream
 * must show results again, and the process come back to what it was.
 *
 * The seed of the troubles is printed; SOAK_SEED in the environment sets it. With -l it lists the
 * pipelines and the troubles. */
#include "../element/waiting.h"
#include "../faults/process.h"
#include "chaos.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#define STEP (20 * G_TIME_SPAN_MILLISECOND)
/* Of all streams together, beside what the frames of a composite may take. */
#define MOST_MEMORY (64 << 20)
#define SHOWN_AFTERWARDS 10 /* results of each stream */

#define CAMERA                                                                                     \
  "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=160,height=120,"         \
  "framerate=30/1"
#define FILE_OF_FRAMES                                                                             \
  "videotestsrc num-buffers=150 pattern=ball ! video/x-raw,format=NV12,width=128,height=96,"       \
  "framerate=25/1"
#define SHOWN " fakesink sync=true"
#define TAKEN " fakesink sync=false"

static const SoakKind kinds[] = {
  { "live", "120", CAMERA, "throttle-interval=0", TAKEN },
  { "file", "20", FILE_OF_FRAMES, "throttle-interval=0", TAKEN },
  { "tls", "10,tls", CAMERA, "throttle-interval=128 tls-validation-flags=0", TAKEN },
  { "two-runners", "80", CAMERA, "throttle-interval=0 connections=2", SHOWN },
  { "even", "60", CAMERA,
      "throttle-interval=0 latency-mode=auto output-framerate=30/1 transition=fade fallback=last",
      SHOWN },
  { "composite", "60", CAMERA,
      "throttle-interval=0 latency-mode=auto composite=over composite-frames=all feather=4",
      SHOWN },
};
#define N G_N_ELEMENTS (kinds)

typedef struct {
  TroubledServers *servers;
  SoakStream *streams[N];
  Chaos *chaos[N];
  guint64 seen[N]; /* frames in */
  gsize memory;    /* bytes, before them */
  FILE *csv;       /* or NULL */
} Soak;

/* ---- what is written down ---- */

static void
write_head (FILE *csv)
{
  fprintf (csv, "seconds,resident,allocated,threads,descriptors");
  for (guint i = 0; i < N; i++) {
    static const gchar *const columns[] = { "in", "sent", "dropped", "answered", "failed",
      "expired", "lost", "out", "connections", "warnings", "troubles", "age_p50", "age_p95" };

    for (guint c = 0; c < G_N_ELEMENTS (columns); c++)
      fprintf (csv, ",%s:%s", kinds[i].name, columns[c]);
  }
  fprintf (csv, "\n");
}

static void
write_stream (Soak *soak, guint i, const Books *b)
{
  const guint64 counts[] = { b->in, b->sent, b->dropped, b->answered, b->failed, b->expired,
    b->lost, b->out, b->connections, soak_stream_get_warnings (soak->streams[i]),
    chaos_get_troubles (soak->chaos[i]) };

  for (guint c = 0; c < G_N_ELEMENTS (counts); c++)
    fprintf (soak->csv, ",%" G_GUINT64_FORMAT, counts[c]);
  fprintf (soak->csv, ",%.1f,%.1f", b->age_p50, b->age_p95);
}

static void
write_row (Soak *soak, const Books *books, gint64 since)
{
  if (soak->csv == NULL)
    return;
  fprintf (soak->csv, "%.1f,%" G_GSIZE_FORMAT ",%" G_GSIZE_FORMAT ",%u,%u",
      (gdouble) since / G_USEC_PER_SEC, process_get_resident (), process_get_allocated (),
      process_count_threads (), process_count_descriptors ());
  for (guint i = 0; i < N; i++)
    write_stream (soak, i, &books[i]);
  fprintf (soak->csv, "\n");
  fflush (soak->csv);
}

static void
print_stream (Soak *soak, guint i)
{
  Books b = books_read (soak_stream_get_filter (soak->streams[i]));

  g_print ("%-12s in %6" G_GUINT64_FORMAT " sent %6" G_GUINT64_FORMAT
           " answered %6" G_GUINT64_FORMAT " failed %4" G_GUINT64_FORMAT
           " expired %4" G_GUINT64_FORMAT " lost %4" G_GUINT64_FORMAT " out %6" G_GUINT64_FORMAT
           " connections %4" G_GUINT64_FORMAT " troubles %4u warnings %4u\n",
      kinds[i].name, b.in, b.sent, b.answered, b.failed, b.expired, b.lost, b.out, b.connections,
      chaos_get_troubles (soak->chaos[i]), soak_stream_get_warnings (soak->streams[i]));
}

/* ---- the soak ---- */

static Soak *
soak_new (guint32 seed, const gchar *csv)
{
  Soak *soak = g_new0 (Soak, 1);
  const gchar *models[N];

  for (guint i = 0; i < N; i++)
    models[i] = kinds[i].model;
  soak->servers = troubled_servers_new (models, N);
  soak->memory = process_get_resident ();
  for (guint i = 0; i < N; i++) {
    soak->streams[i] = soak_stream_new (&kinds[i], troubled_servers_get_uri (soak->servers, i));
    soak->chaos[i] = chaos_new (soak->streams[i], soak->servers, i, seed + i);
  }
  if (csv) {
    soak->csv = fopen (csv, "w");
    if (soak->csv == NULL)
      g_error ("cannot write %s", csv);
    write_head (soak->csv);
  }
  return soak;
}

static void
step (Soak *soak, Books *books)
{
  gsize memory = process_get_resident ();

  for (guint i = 0; i < N; i++) {
    books[i] = soak_stream_look (soak->streams[i]);
    if (books[i].in < soak->seen[i]) /* a stream that begins anew counts anew */
      soak->seen[i] = 0;
    chaos_go_on (soak->chaos[i], books[i].in - soak->seen[i]);
    soak->seen[i] = books[i].in;
  }
  if (memory > soak->memory + MOST_MEMORY)
    g_error ("memory grew by %" G_GSIZE_FORMAT " MB", (memory - soak->memory) >> 20);
}

static void
go_on_for (Soak *soak, gint64 duration)
{
  gint64 began = g_get_monotonic_time (), now = began, row = began;
  Books books[N];

  for (; now < began + duration; now = g_get_monotonic_time ()) {
    step (soak, books);
    if (now >= row) {
      write_row (soak, books, now - began);
      row += G_USEC_PER_SEC;
    }
    pace_for (STEP);
  }
}

/* The watchdog of soak_stream_look() ends a wait in vain. */
static void
expect_results (SoakStream *stream)
{
  guint shown = soak_stream_get_shown (stream);

  while (soak_stream_get_shown (stream) < shown + SHOWN_AFTERWARDS) {
    soak_stream_look (stream);
    pace_for (STEP);
  }
}

static void
soak_free (Soak *soak)
{
  for (guint i = 0; i < N; i++)
    chaos_free (soak->chaos[i]);
  for (guint i = 0; i < N; i++)
    expect_results (soak->streams[i]);
  for (guint i = 0; i < N; i++)
    soak_stream_free (soak->streams[i]);
  troubled_servers_free (soak->servers);
  if (soak->csv)
    fclose (soak->csv);
  g_free (soak);
}

static void
list (void)
{
  for (guint i = 0; i < N; i++)
    g_print ("/soak/%s\n", kinds[i].name);
  chaos_list ();
}

static guint32
choose_seed (void)
{
  const gchar *wanted = g_getenv ("SOAK_SEED");

  return wanted ? (guint32) g_ascii_strtoull (wanted, NULL, 10) : g_random_int ();
}

/* What stays for good is made before it is counted. */
static void
warm_up (void)
{
  soak_free (soak_new (0, NULL));
}

int
main (int argc, char **argv)
{
  guint32 seed = choose_seed ();
  guint descriptors, threads;
  Soak *soak;

  if (argc == 2 && g_str_equal (argv[1], "-l")) {
    list ();
    return 0;
  }
  setlocale (LC_ALL, "");
  setvbuf (stdout, NULL, _IOLBF, 0); /* it may end at any line */
  gst_init (NULL, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_thread_pool_set_max_unused_threads (0);
  if (argc < 2 || atof (argv[1]) <= 0) {
    g_printerr ("usage: test-soak SECONDS [CSV]\n");
    return 2;
  }
  warm_up ();
  descriptors = process_count_descriptors ();
  threads = process_count_threads ();
  g_print ("seed %u\n", seed);
  soak = soak_new (seed, argc > 2 ? argv[2] : NULL);
  go_on_for (soak, atof (argv[1]) * G_USEC_PER_SEC);
  for (guint i = 0; i < N; i++)
    print_stream (soak, i);
  soak_free (soak);
  process_wait_for_descriptors (descriptors);
  process_wait_for_threads (threads);
  return 0;
}
