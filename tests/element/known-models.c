/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each model that is known to speak the protocol, reached with nothing but its app id, against the
 * local server speaking its schema. */
#include "fal/image/image-file.h"
#include "fixture.h"
#include <string.h>

#define WIDTH 96
#define HEIGHT 64
#define FRAMES 6

typedef struct {
  const gchar *name, *app, *schema, *path;
  const gchar *properties;
  const gchar *image_field;
  gboolean data_uri;   /* else bytes */
  gboolean identified; /* a request id is sent */
  guint width, height; /* of the picture sent */
  const gchar *first;  /* field that the first request alone has */
  const gchar *feeds;  /* field that each later one has */
  gboolean wordless;   /* it takes no prompt */
} Model;

static const Model models[] = {
  { "klein", "fal-ai/flux-2/klein", "klein", "/fal-ai/flux-2/klein/realtime", "", "image_url", TRUE,
      FALSE, 704, 704 },
  { "fast-lcm-diffusion", "fal-ai/fast-lcm-diffusion", "turbo",
      "/fal-ai/fast-lcm-diffusion/realtime", "", "image_bytes", FALSE, TRUE, WIDTH, HEIGHT },
  { "fast-lcm-diffusion-image-to-image", "fal-ai/fast-lcm-diffusion/image-to-image", "turbo",
      "/fal-ai/fast-lcm-diffusion/image-to-image/realtime", "", "image_bytes", FALSE, TRUE, WIDTH,
      HEIGHT },
  { "fast-turbo-diffusion", "fal-ai/fast-turbo-diffusion", "turbo",
      "/fal-ai/fast-turbo-diffusion/realtime", "", "image_bytes", FALSE, TRUE, WIDTH, HEIGHT },
  { "fast-turbo-diffusion-image-to-image", "fal-ai/fast-turbo-diffusion/image-to-image", "turbo",
      "/fal-ai/fast-turbo-diffusion/image-to-image/realtime", "", "image_bytes", FALSE, TRUE, WIDTH,
      HEIGHT },
  { "lcm-sd15-i2i", "fal-ai/lcm-sd15-i2i", "lcm-sd15", "/fal-ai/lcm-sd15-i2i/realtime", "",
      "image_url", TRUE, TRUE, WIDTH, HEIGHT },
  { "lcm", "fal-ai/lcm", "lcm-sd15", "/fal-ai/lcm/realtime", "", "image_url", TRUE, TRUE, WIDTH,
      HEIGHT },
  { "sd-turbo", "fal-ai/sd-turbo-real-time-high-fps-msgpack", "sd-turbo",
      "/fal-ai/sd-turbo-real-time-high-fps-msgpack/ws", "", "image", FALSE, TRUE, WIDTH, HEIGHT },
  { "birefnet", "fal-ai/birefnet", "birefnet", "/fal-ai/birefnet/realtime", "", "image_bytes",
      FALSE, FALSE, WIDTH, HEIGHT, .wordless = TRUE },
  { "live-portrait", "fal-ai/live-portrait", "live-portrait", "/fal-ai/live-portrait/realtime",
      "parameters=\"p,initial_image_url=(string)https://example.invalid/face.jpg\"", "image_bytes",
      FALSE, TRUE, WIDTH, HEIGHT, "initial_image_url", "r_d_0", .wordless = TRUE },
};

/* It answers blocks. */
static const Model krea = { "krea-wan-14b", "fal-ai/krea-wan-14b", "krea",
  "/fal-ai/krea-wan-14b/ws", "", "image", FALSE, FALSE, WIDTH, HEIGHT, "start_frame" };

/* The picture in the field @name. */
static GBytes *
take_picture (const GstStructure *request, const gchar *name, gboolean data_uri)
{
  static const gchar head[] = "data:image/jpeg;base64,";
  const GValue *value = gst_structure_get_value (request, name);
  const gchar *text;
  guchar *data;
  gsize size;

  g_assert_nonnull (value);
  if (!data_uri) {
    g_assert_true (G_VALUE_HOLDS (value, G_TYPE_BYTES));
    return g_value_dup_boxed (value);
  }
  g_assert_true (G_VALUE_HOLDS_STRING (value));
  text = g_value_get_string (value);
  g_assert_true (g_str_has_prefix (text, head));
  data = g_base64_decode (text + strlen (head), &size);
  return g_bytes_new_take (data, size);
}

static void
check_request (const Model *model, const GstStructure *request, guint n)
{
  gboolean starts_with_picture = model->first && strcmp (model->first, "start_frame") == 0;
  const gchar *name = n == 0 && starts_with_picture ? model->first : model->image_field;
  g_autoptr (GBytes) picture = take_picture (request, name, model->data_uri);
  FalImageFileInfo info;

  g_assert_true (fal_image_file_probe (picture, G_MAXINT, &info, NULL));
  g_assert_cmpuint (info.width, ==, model->width);
  g_assert_cmpuint (info.height, ==, model->height);
  g_assert_cmpint (gst_structure_has_field (request, "request_id"), ==, model->identified);
  g_assert_cmpstr (
      gst_structure_get_string (request, "prompt"), ==, model->wordless ? NULL : "a cat");
  if (model->first)
    g_assert_cmpint (gst_structure_has_field (request, model->first), ==, n == 0);
  if (model->feeds)
    g_assert_cmpint (gst_structure_has_field (request, model->feeds), ==, n > 0);
}

static void
check_result (Fixture *f, const Model *model, guint n)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (f);

  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
  g_assert_nonnull (gst_buffer_get_custom_meta (buffer, "GstFalResultMeta"));
  assert_colour (fixture_colour (f, buffer), 0xdfbf9f, 12);
}

static Fixture *
start_model (const Model *model)
{
  FalServerOptions options = {
    .schema = model->schema, .effect = "invert", .refuse_unknown = TRUE
  };
  g_autofree gchar *properties =
      g_strdup_printf ("app=%s image-field=auto image-encoding=auto %s %s", model->app,
          model->wordless ? "" : "prompt=\"a cat\"", model->properties);
  Fixture *f = fixture_new (&options, properties);

  fixture_set_size (f, WIDTH, HEIGHT);
  return f;
}

static void
check_connection (Fixture *f, const Model *model)
{
  g_autofree gchar *target = fal_server_dup_last_target (f->server);

  g_assert_cmpstr (target, ==, model->path);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
}

static void
test_model (gconstpointer data)
{
  const Model *model = data;
  g_autoptr (Fixture) f = start_model (model);

  for (guint n = 0; n < FRAMES; n++) {
    g_autoptr (GstStructure) request = NULL;

    fixture_push (f, fixture_frame (WIDTH, HEIGHT, 0x204060, n));
    request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
    g_assert_nonnull (request);
    check_request (model, request, n);
    check_result (f, model, n);
  }
  check_connection (f, model);
}

/* The first frame opens the connection, and goes again as the first of nine that are answered at
 * once; then twelve are. Each result answers its own frame. */
static void
test_krea_answers_blocks (void)
{
  g_autoptr (Fixture) f = start_model (&krea);
  guint pulled = 0;

  for (guint n = 0; n < 9 + 12; n++) {
    fixture_push (f, fixture_frame (WIDTH, HEIGHT, 0x204060, n));
    while (pulled <= n && (n == 8 || n == 20))
      check_result (f, &krea, pulled++);
  }
  for (guint n = 0; n < 1 + 9 + 12; n++) {
    g_autoptr (GstStructure) request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);

    g_assert_nonnull (request);
    check_request (&krea, request, n);
  }
  g_assert_cmpuint (fixture_stat (f, "frames-sent"), ==, 9 + 12);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, 9 + 12);
  g_assert_cmpuint (fal_server_get_inferences (f->server), ==, 2);
  check_connection (f, &krea);
}

/* Two pictures for each request: the one in between comes first. */
static void
test_interpolation_shares_the_span (void)
{
  FalServerOptions options = { .schema = "klein", .effect = "echo" };
  g_autoptr (Fixture) f =
      fixture_new (&options, "app=fal-ai/flux-2/klein image-field=auto image-encoding=auto "
                             "parameters=\"p,enable_interpolation=true\"");

  fixture_set_size (f, WIDTH, HEIGHT);
  for (guint n = 0; n < 3; n++) {
    fixture_push (f, fixture_frame (WIDTH, HEIGHT, 0x204060, n));
    for (guint i = 0; i < 2; i++) {
      g_autoptr (GstBuffer) buffer = fixture_pull (f);
      GstClockTime start = gst_util_uint64_scale (n, GST_SECOND, 30);

      g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, start + GST_SECOND / 30 * i / 2);
    }
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++) {
    g_autofree gchar *path = g_strdup_printf ("/known-models/%s", models[i].name);

    g_test_add_data_func (path, &models[i], test_model);
  }
  g_test_add_func ("/known-models/krea-answers-blocks", test_krea_answers_blocks);
  g_test_add_func (
      "/known-models/interpolation-shares-the-span", test_interpolation_shares_the_span);
  return fixture_run ();
}
