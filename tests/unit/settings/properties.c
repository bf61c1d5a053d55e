/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties' rows: whom each concerns, and copies of what they hold. */
#include "fal/settings/properties.h"
#include "make-settings.h"

#include <math.h>

#define REQUEST FAL_CONCERN_REQUEST
#define PACING FAL_CONCERN_PACING
#define OUTPUT FAL_CONCERN_OUTPUT
#define CONNECTION FAL_CONCERN_CONNECTION
#define WATCHDOG FAL_CONCERN_WATCHDOG
#define ENABLED FAL_CONCERN_ENABLED
#define BUDGET FAL_CONCERN_BUDGET
#define REGION FAL_CONCERN_REGION

static void
test_every_property_concerns_somebody (void)
{
  const guint all = REQUEST | PACING | OUTPUT | CONNECTION | WATCHDOG | ENABLED | BUDGET | REGION;
  g_autofree GParamSpec **specs = NULL;
  guint n;

  specs = list_properties (&n);
  g_assert_cmpuint (n, >, 50);
  for (guint i = 0; i < n; i++) {
    FalConcerns concerns = fal_properties_get_concerns (specs[i]->param_id);

    g_test_message ("%s: 0x%02x", specs[i]->name, concerns);
    g_assert_cmphex (concerns & all, !=, 0);
    g_assert_cmphex (concerns & ~all, ==, 0);
  }
}

static GParamSpec *
find_property (const gchar *name)
{
  guint n;
  g_autofree GParamSpec **specs = list_properties (&n);

  for (guint i = 0; i < n; i++)
    if (g_str_equal (specs[i]->name, name))
      return specs[i];
  g_error ("there is no property %s", name);
}

/* A value that its property's range changes is not set. */
static void
test_what_costs_is_not_negative (void)
{
  static const gchar *const names[] = { "price-per-second", "price-per-request", "budget" };
  static const struct {
    gdouble value;
    gboolean refused;
  } cases[] = { { -0.01, TRUE }, { 0, FALSE }, { 0.0011, FALSE }, { G_MAXDOUBLE, FALSE },
    { INFINITY, TRUE }, { NAN, TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    for (guint j = 0; j < G_N_ELEMENTS (cases); j++) {
      GParamSpec *spec = find_property (names[i]);
      g_auto (GValue) value = G_VALUE_INIT;

      g_value_init (&value, G_TYPE_DOUBLE);
      g_value_set_double (&value, cases[j].value);
      g_assert_cmpint (g_param_value_validate (spec, &value), ==, cases[j].refused);
    }
}

static void
test_what_only_stands_in_a_request_concerns_only_that (void)
{
  static const gchar *const names[] = { "prompt", "negative-prompt", "seed", "num-inference-steps",
    "strength", "guidance-scale", "parameters", "parameters-json", "image-field", "image-encoding",
    "encoding", "start-fields", "quality" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_test_message ("%s", names[i]);
    g_assert_cmphex (fal_properties_get_concerns (get_property_id (names[i])), ==, REQUEST);
  }
}

/* What a change of each of these to a value that is not its default concerns. */
static void
test_a_change_concerns_whom_the_property_does (void)
{
  static const struct {
    const gchar *name, *value;
    guint concerns;
  } cases[] = {
    { "app", "a/b", REQUEST | PACING | OUTPUT | CONNECTION },
    { "token", "secret", CONNECTION },
    { "proxy", "http://127.0.0.1:1", CONNECTION },
    { "tls-validation-flags", "expired", CONNECTION },
    { "extra-headers", "headers,X-A=b", CONNECTION },
    { "max-message-size", "4096", CONNECTION },
    { "retries", "3", CONNECTION },
    { "connections", "4", CONNECTION },
    { "enabled", "false", ENABLED },
    { "region", "0,0,8,8", REGION },
    { "region-margin", "10", REGION },
    { "region-absent", "hold", REGION },
    { "throttle-interval", "0", PACING },
    { "throttle-upstream", "true", REQUEST },
    { "change-threshold", "4", PACING },
    { "max-unchanged-time", "1000", PACING },
    { "max-in-flight", "1", PACING },
    { "block-size", "4", PACING | OUTPUT },
    { "max-buffering", "4", PACING | CONNECTION },
    { "leaky", "no", PACING | OUTPUT },
    { "request-id", "never", REQUEST | PACING },
    { "request-timeout", "1", PACING | CONNECTION | WATCHDOG },
    { "idle-timeout", "1", WATCHDOG },
    { "session-limit", "1", WATCHDOG },
    { "price-per-second", "0.5", BUDGET },
    { "price-per-request", "0.5", BUDGET },
    { "budget", "0.5", BUDGET },
    { "fallback", "last", OUTPUT },
    { "latency", "300", OUTPUT },
    { "latency-mode", "auto", OUTPUT },
    { "max-latency", "300", OUTPUT },
    { "output-framerate", "30/1", OUTPUT },
    { "transition", "fade", OUTPUT },
    { "composite", "over", OUTPUT },
    { "composite-frames", "all", OUTPUT },
    { "feather", "8", OUTPUT },
    { "background", "blur", OUTPUT },
    { "max-held-bytes", "1000000", OUTPUT },
    { "max-pixels", "100", OUTPUT },
    { "width", "64", REQUEST | OUTPUT },
    { "prompt", "a boat", REQUEST },
    { "parameters", "p,a=1", REQUEST },
    { "seed", "7", REQUEST },
    { "strength", "0.25", REQUEST },
    { "quality", "10", REQUEST },
  };
  g_autoptr (FalSettings) defaults = fal_settings_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (FalSettings) next = settings_with (defaults, cases[i].name, cases[i].value);
    g_autoptr (FalSettings) same = settings_with (next, cases[i].name, cases[i].value);

    g_test_message ("%s", cases[i].name);
    g_assert_cmphex (fal_properties_compare (defaults, next), ==, cases[i].concerns);
    g_assert_cmphex (fal_properties_compare (next, defaults), ==, cases[i].concerns);
    g_assert_cmphex (fal_properties_compare (next, same), ==, 0);
  }
}

static void
test_several_changes_concern_all_of_theirs (void)
{
  g_autoptr (FalSettings) defaults = fal_settings_new ();
  g_autoptr (FalSettings) settings =
      make_settings ("prompt", "a boat", "idle-timeout", "5", "latency", "300", NULL);

  g_assert_cmphex (fal_properties_compare (defaults, settings), ==, REQUEST | WATCHDOG | OUTPUT);
}

/* A default that is set is sent, or goes over what is known of the app; elsewhere it is what
 * already was. */
static void
test_setting_a_default_concerns_those_who_ask_whether_it_is_set (void)
{
  static const struct {
    const gchar *name, *value;
    guint concerns;
  } cases[] = {
    { "path", "/realtime", CONNECTION },
    { "seed", "0", REQUEST },
    { "num-inference-steps", "4", REQUEST },
    { "strength", "0.5", REQUEST },
    { "guidance-scale", "1", REQUEST },
    { "width", "0", REQUEST | OUTPUT },
    { "height", "0", REQUEST | OUTPUT },
    { "quality", "85", REQUEST },
    { "wait-for-ready", "false", CONNECTION },
    { "server-streaming", "false", OUTPUT | CONNECTION },
    { "throttle-interval", "128", PACING },
    { "block-size", "0", PACING | OUTPUT },
    { "enabled", "true", 0 },
    { "fit", "crop", 0 },
    { "image-field", "auto", 0 },
  };
  g_autoptr (FalSettings) defaults = fal_settings_new ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (FalSettings) next = settings_with (defaults, cases[i].name, cases[i].value);

    g_test_message ("%s", cases[i].name);
    g_assert_cmphex (fal_properties_compare (defaults, next), ==, cases[i].concerns);
  }
}

static void
test_equal_snapshots_concern_nobody (void)
{
  g_autoptr (FalSettings) a = make_settings ("prompt", "a boat", "parameters", "p,a=1,b=(int)2",
      "extra-headers", "h,X-A=b", "strength", "0.25", "seed", "9", NULL);
  g_autoptr (FalSettings) b = make_settings ("seed", "9", "prompt", "another", "prompt", "a boat",
      "strength", "0.25", "parameters", "p,b=(int)2,a=1", "extra-headers", "h,X-A=b", NULL);

  g_assert_cmphex (fal_properties_compare (a, a), ==, 0);
  g_assert_cmphex (fal_properties_compare (a, b), ==, 0);
}

static FalSettings *
with_database (const FalSettings *settings, GTlsDatabase *database)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_TLS_DATABASE);
  g_value_set_object (&value, database);
  return fal_settings_with (settings, get_property_id ("tls-database"), &value);
}

static GTlsDatabase *
make_database (void)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "tls", "ca.pem", NULL);

  return g_tls_file_database_new (path, NULL);
}

static void
test_objects_are_compared_by_identity (void)
{
  g_autoptr (GTlsDatabase) one = make_database ();
  g_autoptr (GTlsDatabase) other = make_database ();
  g_autoptr (FalSettings) none = fal_settings_new ();
  g_autoptr (FalSettings) a = with_database (none, one);
  g_autoptr (FalSettings) same = with_database (a, one);
  g_autoptr (FalSettings) b = with_database (a, other);

  if (one == NULL) {
    g_test_skip ("no TLS on this machine");
    return;
  }
  g_assert_cmphex (fal_properties_compare (none, a), ==, CONNECTION);
  g_assert_cmphex (fal_properties_compare (a, same), ==, 0);
  g_assert_cmphex (fal_properties_compare (a, b), ==, CONNECTION);
}

/* Nothing of a copy lies in the memory of the other: either may go first. */
static void
test_a_copy_owns_what_it_holds (void)
{
  FalSettings *from = make_settings ("app", "a/b", "prompt", "a boat", "token", "secret",
      "parameters", "p,a=1", "seed", "-5", "latency", "300", NULL);
  FalSettings to;

  fal_properties_copy (from, &to);
  g_assert_cmphex (fal_properties_compare (from, &to), ==, 0);
  g_assert_true (to.prompt != from->prompt);
  g_assert_true (to.parameters != from->parameters);
  g_assert_cmpuint (to.version, ==, from->version);
  g_assert_cmpmem (to.set, sizeof to.set, from->set, sizeof from->set);
  fal_settings_unref (from);
  g_assert_cmpstr (to.app, ==, "a/b");
  g_assert_cmpstr (to.prompt, ==, "a boat");
  g_assert_cmpstr (to.token, ==, "secret");
  g_assert_null (to.negative_prompt);
  g_assert_cmpint (to.seed, ==, -5);
  g_assert_cmpint (to.latency, ==, 300);
  g_assert_true (gst_structure_has_field (to.parameters, "a"));
  fal_properties_clear (&to);
  g_assert_null (to.prompt);
  g_assert_null (to.parameters);
}

static void
test_a_snapshot_outlives_the_one_before (void)
{
  FalSettings *old = make_settings ("prompt", "a boat", "parameters", "p,a=1", NULL);
  FalSettings *next = settings_with (old, "strength", "0.25");

  fal_settings_unref (old);
  g_assert_cmpstr (next->prompt, ==, "a boat");
  g_assert_true (gst_structure_has_field (next->parameters, "a"));
  g_assert_cmpfloat (next->strength, ==, 0.25);
  fal_settings_unref (next);
}

static void
test_a_database_is_referenced_by_each_snapshot (void)
{
  GTlsDatabase *database = make_database ();
  g_autoptr (FalSettings) none = fal_settings_new ();
  FalSettings *a = with_database (none, database);
  FalSettings *b = settings_with (a, "prompt", "a boat");
  gpointer weak = database;

  if (database == NULL) {
    fal_settings_unref (a);
    fal_settings_unref (b);
    g_test_skip ("no TLS on this machine");
    return;
  }
  g_object_add_weak_pointer (G_OBJECT (database), &weak);
  g_object_unref (database);
  fal_settings_unref (a);
  g_assert_nonnull (weak);
  fal_settings_unref (b);
  g_assert_null (weak);
}

static void
test_differences_of_a_shared_connection_are_named (void)
{
  g_autoptr (FalSettings) a = make_settings ("app", "a/b", "prompt", "one", NULL);
  g_autoptr (FalSettings) same = make_settings ("app", "a/b", "prompt", "two", NULL);
  g_autoptr (FalSettings) app = make_settings ("app", "a/c", NULL);
  g_autoptr (FalSettings) headers =
      make_settings ("app", "a/b", "extra-headers", "\"h,X-A=b\"", NULL);

  g_assert_null (fal_properties_find_difference (a, same));
  g_assert_cmpstr (fal_properties_find_difference (a, app), ==, "app");
  g_assert_cmpstr (fal_properties_find_difference (a, headers), ==, "extra-headers");
  g_assert_null (fal_properties_find_difference (headers, headers));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  install_properties ();
#define ADD(name, function) g_test_add_func ("/properties/" name, function)
  ADD ("every-property-concerns-somebody", test_every_property_concerns_somebody);
  ADD ("what-costs-is-not-negative", test_what_costs_is_not_negative);
  ADD ("what-only-stands-in-a-request-concerns-only-that",
      test_what_only_stands_in_a_request_concerns_only_that);
  ADD ("a-change-concerns-whom-the-property-does", test_a_change_concerns_whom_the_property_does);
  ADD ("several-changes-concern-all-of-theirs", test_several_changes_concern_all_of_theirs);
  ADD ("setting-a-default-concerns-those-who-ask-whether-it-is-set",
      test_setting_a_default_concerns_those_who_ask_whether_it_is_set);
  ADD ("equal-snapshots-concern-nobody", test_equal_snapshots_concern_nobody);
  ADD ("objects-are-compared-by-identity", test_objects_are_compared_by_identity);
  ADD ("a-copy-owns-what-it-holds", test_a_copy_owns_what_it_holds);
  ADD ("a-snapshot-outlives-the-one-before", test_a_snapshot_outlives_the_one_before);
  ADD ("a-database-is-referenced-by-each-snapshot", test_a_database_is_referenced_by_each_snapshot);
  ADD ("differences-of-a-shared-connection-are-named",
      test_differences_of_a_shared_connection_are_named);
  return g_test_run ();
}
