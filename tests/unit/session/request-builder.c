/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The composer: which inputs a request carries, and under which name its picture. */
#include "fal/session/request-builder.h"
#include "fal/settings/properties.h"
#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"
#include <string.h>

static GType
get_type (void)
{
  return g_type_from_name ("Settings");
}

/* The properties' rows are installed with a class; any will do. */
static void
get_nothing (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
}

static void
set_nothing (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
}

static void
class_init (gpointer data, gpointer unused)
{
  GObjectClass *klass = data;

  klass->get_property = get_nothing;
  klass->set_property = set_nothing;
  fal_properties_install (klass);
}

static void
register_type (void)
{
  const GTypeInfo info = {
    .class_size = sizeof (GObjectClass),
    .class_init = class_init,
    .instance_size = sizeof (GObject),
  };

  g_type_register_static (G_TYPE_OBJECT, "Settings", &info, 0);
  g_type_class_ref (get_type ()); /* for ever */
}

/* Settings with the properties named, as text; ends with NULL. */
static FalSettings *
make_settings (const gchar *name, ...)
{
  GObjectClass *klass = g_type_class_peek (get_type ());
  FalSettings *settings = fal_settings_new ();
  va_list names;

  va_start (names, name);
  for (; name != NULL; name = va_arg (names, const gchar *)) {
    GParamSpec *spec = g_object_class_find_property (klass, name);
    g_autoptr (FalSettings) old = settings;
    g_auto (GValue) value = G_VALUE_INIT;

    g_assert_nonnull (spec);
    g_value_init (&value, G_PARAM_SPEC_VALUE_TYPE (spec));
    g_assert_true (gst_value_deserialize (&value, va_arg (names, const gchar *)));
    settings = fal_settings_with (old, spec->param_id, &value);
  }
  va_end (names);
  return settings;
}

static GstSample *
make_picture (void)
{
  static const guint8 jpeg[] = { 0xff, 0xd8, 0xff, 0xd9 };
  g_autoptr (GstBuffer) buffer = gst_buffer_new_memdup (jpeg, sizeof jpeg);
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("image/jpeg");

  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* The request as JSON. */
static gchar *
compose (FalSettings *settings, FalRequestParts composition)
{
  g_autoptr (FalRequestBuilder) composer = fal_request_builder_new ();
  g_autoptr (GstSample) sample = make_picture ();
  g_autoptr (GstStructure) map = NULL;
  g_autoptr (GBytes) message = NULL;
  g_autoptr (GError) error = NULL;

  composition.sample = sample;
  g_assert_true (fal_request_builder_set_settings (composer, settings, &error));
  message = fal_request_builder_build (composer, &composition, &error);
  g_assert_no_error (error);
  map = fal_value_from_msgpack (message, &error);
  g_assert_no_error (error);
  return fal_value_to_json (map, &error);
}

static void
assert_request (FalSettings *settings, FalRequestParts composition, const gchar *wanted)
{
  g_autofree gchar *json = compose (settings, composition);
  g_autoptr (GstStructure) is = fal_value_from_json (json, -1, NULL);
  g_autoptr (GstStructure) should = fal_value_from_json (wanted, -1, NULL);

  g_test_message ("%s", json);
  g_assert_nonnull (should);
  g_assert_true (gst_structure_is_equal (is, should));
}

#define PICTURE "\"/9j/2Q==\""

static void
test_start_fields_go_first_alone (void)
{
  g_autoptr (FalSettings) settings = make_settings ("app", "a/b", "image-field", "image",
      "image-encoding", "bytes", "start-fields", "\"prompt, size\"", "parameters-json",
      "\"{\\\"prompt\\\":\\\"x\\\",\\\"size\\\":2,\\\"steps\\\":4}\"", NULL);

  assert_request (settings, (FalRequestParts){ .first = TRUE },
      "{\"prompt\":\"x\",\"size\":2,\"steps\":4,\"image\":" PICTURE "}");
  assert_request (settings, (FalRequestParts){ 0 }, "{\"steps\":4,\"image\":" PICTURE "}");
}

static void
test_a_start_field_may_carry_the_picture (void)
{
  g_autoptr (FalSettings) settings = make_settings ("app", "fal-ai/krea-wan-14b", NULL);

  assert_request (settings, (FalRequestParts){ .first = TRUE }, "{\"start_frame\":" PICTURE "}");
  assert_request (settings, (FalRequestParts){ 0 }, "{\"image\":" PICTURE "}");
}

static void
test_inputs_have_an_order (void)
{
  g_autoptr (FalSettings) settings = make_settings ("app", "fal-ai/birefnet", "prompt", "named",
      "parameters", "\"p,prompt=flat,a=flat\"", "parameters-json",
      "\"{\\\"prompt\\\":\\\"json\\\",\\\"a\\\":\\\"json\\\",\\\"b\\\":\\\"json\\\"}\"", NULL);
  g_autoptr (GstStructure) feedback = gst_structure_from_string ("f,b=fed,c=fed", NULL);
  g_autoptr (GstStructure) inputs = gst_structure_from_string ("i,c=once", NULL);

  assert_request (settings, (FalRequestParts){ 0 },
      "{\"prompt\":\"named\",\"a\":\"flat\",\"b\":\"json\",\"image_bytes\":" PICTURE "}");
  assert_request (settings, (FalRequestParts){ .feedback = feedback, .inputs = inputs },
      "{\"prompt\":\"named\",\"a\":\"flat\",\"b\":\"fed\",\"c\":\"once\",\"image_bytes\":" PICTURE
      "}");
}

static void
test_feedback_is_picked_by_name (void)
{
  g_autoptr (GstStructure) fields =
      fal_value_from_json ("{\"r_d_0\":[1,2.5],\"x\":{\"y\":{\"z\":3}},\"seed\":9}", -1, NULL);
  g_autoptr (GstStructure) picked = fal_request_builder_pick (fields, "r_d_0, x.y ,missing,,");
  g_autofree gchar *json = fal_value_to_json (picked, NULL);

  g_assert_cmpstr (json, ==, "{\"r_d_0\":[1,2.5],\"x\":{\"y\":{\"z\":3}}}");
  g_assert_null (fal_request_builder_pick (fields, "missing"));
  g_assert_null (fal_request_builder_pick (NULL, "seed"));
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
  register_type ();
#define ADD(name, function) g_test_add_func ("/composer/" name, function)
  ADD ("start-fields-go-first-alone", test_start_fields_go_first_alone);
  ADD ("a-start-field-may-carry-the-picture", test_a_start_field_may_carry_the_picture);
  ADD ("inputs-have-an-order", test_inputs_have_an_order);
  ADD ("feedback-is-picked-by-name", test_feedback_is_picked_by_name);
  ADD ("differences-of-a-shared-connection-are-named",
      test_differences_of_a_shared_connection_are_named);
  return g_test_run ();
}
