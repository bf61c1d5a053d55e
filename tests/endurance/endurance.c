/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same again and again: what a cycle leaves behind shows after many. The server is another
 * process, so that all memory here is the element's and that of the libraries it uses.
 *
 * ENDURANCE=full in the environment: as often as the element must endure it, in place of a sample
 * that takes seconds. */
#include "../element/fixture.h"
#include "../faults/process.h"
#include "memory-slope.h"
#include "troubled-servers.h"

#define MOST_BYTES 100 /* that a cycle may leave behind */
#define MOST_DOUBLINGS 2

typedef struct {
  TroubledServers *servers;
  Fixture *f;
  guint descriptors, threads;
  guint frames; /* pushed so far */
} Line;

static gboolean
is_full (void)
{
  return g_strcmp0 (g_getenv ("ENDURANCE"), "full") == 0;
}

/* ---- a line ---- */

static Line *
line_new (const gchar *model, const gchar *properties)
{
  Line *line = g_new0 (Line, 1);
  g_autofree gchar *description = NULL;

  line->servers = troubled_servers_new (&model, 1);
  line->descriptors = process_count_descriptors ();
  line->threads = process_count_threads ();
  description = g_strdup_printf (
      "falrealtimefilter base-uri=%s app=test/app/image image-field=image_bytes token=t "
      "image-encoding=bytes throttle-interval=0 retry-delay=1 max-retry-delay=1 %s",
      troubled_servers_get_uri (line->servers, 0), properties);
  line->f = fixture_new_from (description, TRUE);
  gst_harness_use_systemclock (line->f->harness);
  gst_harness_set_drop_buffers (line->f->harness, TRUE);
  fixture_set_size (line->f, 32, 32);
  return line;
}

/* What it had of the process comes back. */
static void
line_free (Line *line)
{
  fixture_free (line->f);
  process_wait_for_descriptors (line->descriptors);
  process_wait_for_threads (line->threads);
  troubled_servers_free (line->servers);
  g_free (line);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Line, line_free)

static void
push (Line *line)
{
  fixture_push_colour (line->f, 0x010101 * (line->frames % 256), line->frames);
  line->frames++;
}

static void
push_until_out (Line *line, guint64 out)
{
  REPEAT_UNTIL (line->f->element, fixture_stat (line->f, "frames-out") > out, push (line));
}

static void
settle (Line *line)
{
  fixture_wait_for_stat (line->f, "frames-waiting", 0);
  fixture_wait_for_stat (line->f, "in-flight", 0);
}

/* The test's own: what came out, and what was said. */
static void
forget (Line *line)
{
  GstMessage *message;
  GstEvent *event;

  while ((message = gst_bus_pop (line->f->bus)) != NULL) {
    if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
      g_autoptr (GError) error = NULL;

      gst_message_parse_error (message, &error, NULL);
      g_error ("%s", error->message);
    }
    gst_message_unref (message);
  }
  while ((event = gst_harness_try_pull_event (line->f->harness)) != NULL)
    gst_event_unref (event);
  while ((event = gst_harness_try_pull_upstream_event (line->f->harness)) != NULL)
    gst_event_unref (event);
}

/* ---- cycles ---- */

typedef void (*Cycle) (Line *line, guint n, gconstpointer data);

/* Bytes of a cycle. */
static gdouble
measure (Line *line, guint cycles, Cycle cycle, gconstpointer data)
{
  g_autoptr (MemorySlope) slope = memory_slope_new (cycles);

  for (guint i = 0; i < cycles; i++) {
    cycle (line, i, data);
    fixture_check_books (line->f);
    forget (line);
    memory_slope_note (slope);
  }
  return memory_slope_get (slope);
}

/* What a machine that is busy keeps waiting in the element may look like a leak of few cycles. In
 * more of them it gets less, and a leak does not. */
static void
endure (Line *line, const gchar *what, guint cycles, Cycle cycle, gconstpointer data)
{
  gsize resident = process_get_resident ();
  gdouble bytes = measure (line, cycles, cycle, data);

  for (guint i = 0; i < MOST_DOUBLINGS && bytes >= MOST_BYTES; i++)
    bytes = measure (line, cycles *= 2, cycle, data);
  g_test_message ("%u %s: %.1f bytes a cycle; resident memory grew by %d KiB", cycles, what, bytes,
      (gint) (process_get_resident () - resident) / 1024);
  if (bytes >= MOST_BYTES)
    g_error ("%s leaves %.1f bytes behind", what, bytes);
  if (process_get_allocated () == 0)
    g_test_skip ("this C library does not tell what is allocated");
}

static void
start_and_stop (Line *line, guint n, gconstpointer data)
{
  fixture_play (line->f);
  push_until_out (line, 0);
  gst_element_set_state (line->f->harness->element, GST_STATE_READY);
}

static void
test_starts_and_stops (void)
{
  g_autoptr (Line) line = line_new ("0", "");

  gst_element_set_state (line->f->harness->element, GST_STATE_READY);
  endure (line, "starts and stops", is_full () ? 10000 : 400, start_and_stop, NULL);
}

/* TLS ends in a thread of GIO's. */
static void
test_starts_and_stops_with_tls (void)
{
  g_autoptr (Line) line = line_new ("0,tls", "tls-validation-flags=0");

  gst_element_set_state (line->f->harness->element, GST_STATE_READY);
  endure (line, "starts and stops with TLS", is_full () ? 10000 : 200, start_and_stop, NULL);
}

static void
end_connection (Line *line, guint n)
{
  static const struct {
    const gchar *trouble, *value;
  } ends[] = { { "cut", "0" }, { "cut", "1" }, { "close", "1000" }, { "close", "1012" } };

  if (n % 5 == 4)
    g_signal_emit_by_name (line->f->element, "reconnect");
  else
    troubled_servers_tell (line->servers, 0, ends[n % 5].trouble, ends[n % 5].value);
}

static void
reconnect (Line *line, guint n, gconstpointer data)
{
  guint64 before = fixture_stat (line->f, "connections");

  end_connection (line, n);
  REPEAT_UNTIL (line->f->element, fixture_stat (line->f, "connections") > before, push (line));
  push_until_out (line, fixture_stat (line->f, "frames-out"));
  settle (line);
}

static void
test_reconnections (void)
{
  g_autoptr (Line) line = line_new ("0", "");

  push_until_out (line, 0);
  endure (line, "reconnections", is_full () ? 10000 : 300, reconnect, NULL);
}

static void
flush (Line *line, guint n, gconstpointer data)
{
  for (guint i = 0; i < n % 4; i++)
    push (line);
  fixture_flush (line->f);
  push_until_out (line, fixture_stat (line->f, "frames-out"));
  settle (line);
}

static void
test_flushes (void)
{
  g_autoptr (Line) line = line_new ("5", "");

  push_until_out (line, 0);
  endure (line, "flushes", is_full () ? 1000 : 200, flush, NULL);
}

/* ---- properties ---- */

/* Each in turn has one value and the other; it plays with @more besides. */
typedef struct {
  const gchar *name, *values[2], *more;
} Change;

static const Change changes[] = {
  { "background", { "red", "blur" }, "composite=matte-over" },
  { "budget", { "0", "1000000" }, "price-per-request=1" },
  { "change-threshold", { "0", "4" } },
  { "composite", { "none", "over" } },
  { "composite-frames", { "results", "all" }, "composite=over" },
  { "connect-timeout", { "10000", "20000" } },
  { "drain-timeout", { "10000", "20000" } },
  { "enabled", { "false", "true" } },
  { "fallback", { "last", "black" } },
  { "fallback-timeout", { "1000", "2000" }, "fallback=black" },
  { "feather", { "0", "5" }, "composite=over" },
  { "fit", { "crop", "letterbox" }, "width=24 height=16" },
  { "guidance-scale", { "1", "2" } },
  { "height", { "24", "16" } },
  { "idle-timeout", { "0", "60" } },
  { "latency", { "-1", "10" } },
  { "latency-mode", { "fixed", "auto" } },
  { "leaky", { "no", "downstream" } },
  { "max-buffering", { "0", "4" } },
  { "max-in-flight", { "0", "2" } },
  { "max-latency", { "5000", "1000" }, "latency-mode=auto" },
  { "max-retry-delay", { "1", "2" } },
  { "max-unchanged-time", { "0", "1000" }, "change-threshold=4" },
  { "negative-prompt", { "fog", "a long night of rain" } },
  { "num-inference-steps", { "2", "4" } },
  { "output-framerate", { "0/1", "200/1" } },
  { "parameters", { "p,a=1", "p,b=two,c=(string)three" } },
  { "parameters-json", { "{\"a\":{\"b\":1}}", "{\"a\":[1,2,3]}" } },
  { "price-per-request", { "0", "0.01" } },
  { "price-per-second", { "0", "0.01" } },
  { "prompt", { "a cat", "an astronaut who rides a horse" } },
  { "quality", { "50", "90" } },
  { "region", { "", "4,4,16,16" } },
  { "region-absent", { "pass", "hold" }, "region=meta" },
  { "region-margin", { "0", "50" }, "region=8,8,8,8" },
  { "request-timeout", { "10000", "20000" } },
  { "retries", { "-1", "1000" } },
  { "retry-delay", { "1", "2" } },
  { "seed", { "1", "2" } },
  { "session-limit", { "0", "86400" } },
  { "strength", { "0.2", "0.8" } },
  { "throttle-interval", { "0", "1" } },
  { "throttle-upstream", { "false", "true" } },
  { "token", { "one", "another" } },
  { "transition", { "cut", "fade" }, "output-framerate=200/1" },
  { "width", { "24", "16" } },
};

static void
change (Line *line, guint n, gconstpointer data)
{
  const Change *change = data;

  gst_util_set_object_arg (G_OBJECT (line->f->element), change->name, change->values[n % 2]);
  push (line);
  settle (line);
}

static void
test_changes_of_a_property (gconstpointer data)
{
  const Change *property = data;
  g_autoptr (Line) line = line_new ("0", property->more ? property->more : "");

  push_until_out (line, 0);
  endure (line, property->name, is_full () ? 1000 : 200, change, property);
}

static gboolean
stands_above (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    if (g_str_equal (changes[i].name, name))
      return TRUE;
  return FALSE;
}

/* One that is new is to be changed, too. */
static void
test_no_property_is_left_out (void)
{
  g_autoptr (GstElement) element = gst_element_factory_make ("falrealtimefilter", NULL);
  g_autofree GParamSpec **specs = NULL;
  guint n, changeable = 0;

  specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++)
    if (specs[i]->flags & GST_PARAM_MUTABLE_PLAYING) {
      if (!stands_above (specs[i]->name))
        g_error ("nobody changes %s", specs[i]->name);
      changeable++;
    }
  g_assert_cmpuint (changeable, ==, G_N_ELEMENTS (changes));
}

/* What is begun for good: threads that GLib keeps, descriptors of the resolver and the clock. */
static void
warm_up (void)
{
  g_autoptr (Line) line = line_new ("0", "output-framerate=100/1");

  line->descriptors = line->threads = G_MAXUINT;
  push_until_out (line, 0);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_drop_debug_log ();
  g_thread_pool_set_max_unused_threads (0);
  warm_up ();
  g_test_add_func ("/endurance/starts_and_stops", test_starts_and_stops);
  g_test_add_func ("/endurance/starts_and_stops_with_tls", test_starts_and_stops_with_tls);
  g_test_add_func ("/endurance/reconnections", test_reconnections);
  g_test_add_func ("/endurance/flushes", test_flushes);
  g_test_add_func ("/endurance/no_property_is_left_out", test_no_property_is_left_out);
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    g_autofree gchar *path = g_strconcat ("/endurance/changes/", changes[i].name, NULL);

    g_test_add_data_func (path, &changes[i], test_changes_of_a_property);
  }
  return g_test_run ();
}
