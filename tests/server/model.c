/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The models: what each known app takes and answers is a row of the table of schemas; the picture
 * itself goes through an effect. Pure; any thread. */
#include "model.h"
#include "fal/value.h"

#define GENERATED_SIZE 512 /* pixels: a picture made from a prompt alone */
#define MAX_INPUTS 4

/* The forms that an image field may have. */
typedef enum {
  FORM_BYTES = 1 << 0,
  FORM_DATA_URI = 1 << 1,
  FORM_BASE64 = 1 << 2,
  FORM_ANY = FORM_BYTES | FORM_DATA_URI | FORM_BASE64,
} Forms;

/* One picture of a result. */
typedef struct {
  GBytes *bytes;
  gint width, height;
} Picture;

typedef GBytes *(*Reply) (const FalSchema *schema, const GstStructure *request,
    const Picture *pictures, guint count, gdouble seconds, gboolean echo, GError **error);

struct _FalSchema {
  const gchar *name;
  const gchar *inputs[MAX_INPUTS]; /* where the image is looked for, in this order */
  Forms forms;
  gboolean needs_image; /* else a prompt alone is answered with a picture as well */
  const gchar *output;  /* the field of a picture in the result */
  Reply reply;
  gboolean echoes;  /* request_id */
  gboolean ready;   /* says so first */
  gboolean json;    /* JSON bytes in place of msgpack, both ways */
  gboolean cutout;  /* the result has an alpha channel */
  gboolean between; /* knows enable_interpolation */
};

static void
picture_clear (Picture *picture)
{
  g_clear_pointer (&picture->bytes, g_bytes_unref);
}

/* ---- The request's picture ---- */

static GBytes *
decode_base64 (const gchar *text)
{
  gsize size;
  guchar *data = g_base64_decode (text, &size);

  return g_bytes_new_take (data, size);
}

static GBytes *
read_text (const gchar *name, const gchar *text, Forms forms, GError **error)
{
  const gchar *comma = g_str_has_prefix (text, "data:") ? strstr (text, ";base64,") : NULL;

  if (comma != NULL && forms & FORM_DATA_URI)
    return decode_base64 (comma + strlen (";base64,"));
  if (strstr (text, ":") == NULL && forms & FORM_BASE64)
    return decode_base64 (text);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "%s: could not load an image from this text, send a data URI", name);
  return NULL;
}

static GBytes *
read_image (const gchar *name, const GValue *value, Forms forms, GError **error)
{
  if (G_VALUE_HOLDS (value, G_TYPE_BYTES) && forms & FORM_BYTES)
    return g_value_dup_boxed (value);
  if (!G_VALUE_HOLDS_STRING (value) || !(forms & (FORM_DATA_URI | FORM_BASE64))) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s type expected", name,
        forms & FORM_BYTES ? "bytes" : "str");
    return NULL;
  }
  if (g_value_get_string (value) == NULL) {
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: none is not an allowed value", name);
    return NULL;
  }
  return read_text (name, g_value_get_string (value), forms, error);
}

/* The request's image as it came; NULL without an error where it has none and needs none. */
static GBytes *
find_image (const FalSchema *schema, const GstStructure *request, GError **error)
{
  for (guint i = 0; i < MAX_INPUTS && schema->inputs[i] != NULL; i++) {
    const GValue *value = gst_structure_get_value (request, schema->inputs[i]);

    if (value != NULL)
      return read_image (schema->inputs[i], value, schema->forms, error);
  }
  if (schema->needs_image || !gst_structure_has_field (request, "prompt"))
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: field required", schema->inputs[0]);
  return NULL;
}

/* ---- The result's message ---- */

static void
set_integer (GstStructure *map, const gchar *name, gint64 value)
{
  gst_structure_set (map, name, G_TYPE_INT64, value, NULL);
}

/* The request's own integer, or @otherwise. */
static void
copy_integer (GstStructure *map, const GstStructure *request, const gchar *name, gint64 otherwise)
{
  gint64 value = otherwise;

  gst_structure_get_int64 (request, name, &value);
  set_integer (map, name, value);
}

static void
take_list (GstStructure *map, const gchar *name, GValue *item)
{
  GValue list = G_VALUE_INIT;

  gst_value_array_init (&list, 1);
  gst_value_array_append_and_take_value (&list, item);
  gst_structure_take_value (map, name, &list);
}

static void
take_map (GValue *value, GstStructure *map)
{
  g_value_init (value, GST_TYPE_STRUCTURE);
  g_value_take_boxed (value, map);
}

static gchar *
to_data_uri (const Picture *picture)
{
  gsize size;
  const guchar *data = g_bytes_get_data (picture->bytes, &size);
  g_autofree gchar *text = g_base64_encode (data, size);

  return g_strdup_printf ("data:%s;base64,%s", fal_canvas_content_type (picture->bytes), text);
}

/* {content or url, width, height, content_type} */
static GstStructure *
describe_picture (const FalSchema *schema, const Picture *picture)
{
  GstStructure *map = gst_structure_new_empty ("map");

  if (g_str_equal (schema->output, "url")) {
    g_autofree gchar *uri = to_data_uri (picture);

    gst_structure_set (map, "url", G_TYPE_STRING, uri, NULL);
  } else {
    gst_structure_set (map, schema->output, G_TYPE_BYTES, picture->bytes, NULL);
  }
  set_integer (map, "width", picture->width);
  set_integer (map, "height", picture->height);
  gst_structure_set (
      map, "content_type", G_TYPE_STRING, fal_canvas_content_type (picture->bytes), NULL);
  return map;
}

static void
set_timings (GstStructure *map, gdouble seconds)
{
  GValue value = G_VALUE_INIT;

  take_map (&value, gst_structure_new ("map", "inference", G_TYPE_DOUBLE, seconds, NULL));
  gst_structure_take_value (map, "timings", &value);
}

/* A typed app's request_id is text: an integer comes back as one. */
static void
set_request_id (GstStructure *map, const GstStructure *request)
{
  const GValue *id = gst_structure_get_value (request, "request_id");
  GValue text = G_VALUE_INIT;

  if (id == NULL)
    return;
  g_value_init (&text, G_TYPE_STRING);
  if (g_value_transform (id, &text))
    gst_structure_take_value (map, "request_id", &text);
}

static GBytes *
finish_reply (const FalSchema *schema, GstStructure *map, const GstStructure *request,
    gboolean echo, GError **error)
{
  g_autoptr (GstStructure) owned = map;
  gchar *text;

  if (echo)
    set_request_id (map, request);
  if (!schema->json)
    return fal_value_to_msgpack (map, error);
  text = fal_value_to_json (map, error);
  return text ? g_bytes_new_take (text, strlen (text)) : NULL;
}

/* {images: [{…}], timings, seed, num_inference_steps, has_nsfw_concepts, request_id} */
static GBytes *
reply_images (const FalSchema *schema, const GstStructure *request, const Picture *pictures,
    guint count, gdouble seconds, gboolean echo, GError **error)
{
  GstStructure *map = gst_structure_new_empty ("map");
  GValue images = G_VALUE_INIT, harmless = G_VALUE_INIT;

  gst_value_array_init (&images, count);
  for (guint i = 0; i < count; i++) {
    GValue image = G_VALUE_INIT;

    take_map (&image, describe_picture (schema, &pictures[i]));
    gst_value_array_append_and_take_value (&images, &image);
  }
  gst_structure_take_value (map, "images", &images);
  set_timings (map, seconds);
  copy_integer (map, request, "seed", 42);
  copy_integer (map, request, "num_inference_steps", 4);
  g_value_init (&harmless, G_TYPE_BOOLEAN);
  take_list (map, "has_nsfw_concepts", &harmless);
  return finish_reply (schema, map, request, echo, error);
}

/* {image: {…}} */
static GBytes *
reply_image (const FalSchema *schema, const GstStructure *request, const Picture *pictures,
    guint count, gdouble seconds, gboolean echo, GError **error)
{
  GstStructure *map = gst_structure_new_empty ("map");
  GValue image = G_VALUE_INIT;

  take_map (&image, describe_picture (schema, &pictures[0]));
  gst_structure_take_value (map, "image", &image);
  return finish_reply (schema, map, request, echo, error);
}

/* {image: bytes, timings, seed, request_id} */
static GBytes *
reply_bytes (const FalSchema *schema, const GstStructure *request, const Picture *pictures,
    guint count, gdouble seconds, gboolean echo, GError **error)
{
  GstStructure *map =
      gst_structure_new ("map", schema->output, G_TYPE_BYTES, pictures[0].bytes, NULL);

  set_timings (map, seconds);
  copy_integer (map, request, "seed", 42);
  return finish_reply (schema, map, request, echo, error);
}

/* The picture's bytes alone. */
static GBytes *
reply_raw (const FalSchema *schema, const GstStructure *request, const Picture *pictures,
    guint count, gdouble seconds, gboolean echo, GError **error)
{
  return g_bytes_ref (pictures[0].bytes);
}

/* Strict where the real app is: klein takes text alone, birefnet and sd-turbo bytes alone. The
 * first and raw take whatever a client may send. */
static const FalSchema schemas[] = {
  { .name = "turbo",
      .inputs = { "image_bytes", "image_url", "image" },
      .forms = FORM_ANY,
      .output = "content",
      .reply = reply_images,
      .echoes = TRUE },
  { .name = "lcm",
      .inputs = { "image_url" },
      .forms = FORM_DATA_URI,
      .output = "url",
      .reply = reply_images,
      .echoes = TRUE },
  { .name = "klein",
      .inputs = { "image_url" },
      .forms = FORM_DATA_URI,
      .output = "content",
      .reply = reply_images,
      .between = TRUE },
  { .name = "birefnet",
      .inputs = { "image_bytes" },
      .forms = FORM_BYTES,
      .needs_image = TRUE,
      .output = "content",
      .reply = reply_image,
      .cutout = TRUE },
  { .name = "sd-turbo",
      .inputs = { "image" },
      .forms = FORM_BYTES,
      .output = "image",
      .reply = reply_bytes,
      .echoes = TRUE },
  { .name = "raw",
      .inputs = { "image", "start_frame", "image_bytes", "image_url" },
      .forms = FORM_ANY,
      .output = "image",
      .reply = reply_raw,
      .ready = TRUE },
  { .name = "json",
      .inputs = { "image_url" },
      .forms = FORM_DATA_URI | FORM_BASE64,
      .output = "url",
      .reply = reply_images,
      .echoes = TRUE,
      .json = TRUE },
};

const FalSchema *
fal_schema_find (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (schemas); i++)
    if (g_strcmp0 (schemas[i].name, name) == 0)
      return &schemas[i];
  return NULL;
}

gchar *
fal_schema_dup_names (void)
{
  GString *names = g_string_new (schemas[0].name);

  for (guint i = 1; i < G_N_ELEMENTS (schemas); i++)
    g_string_append_printf (names, ", %s", schemas[i].name);
  return g_string_free (names, FALSE);
}

gboolean
fal_schema_says_ready (const FalSchema *schema)
{
  return schema->ready;
}

GstStructure *
fal_schema_decode (const FalSchema *schema, GBytes *message, GError **error)
{
  gsize size;
  const gchar *data = g_bytes_get_data (message, &size);

  if (schema->json)
    return fal_value_from_json (data, size, error);
  return fal_value_from_msgpack (message, error);
}

/* ---- The run ---- */

static void
picture_init (Picture *picture, const FalSchema *schema, const FalCanvas *canvas)
{
  picture->bytes =
      schema->cutout ? fal_canvas_encode_cutout (canvas) : fal_canvas_encode_jpeg (canvas);
  picture->width = canvas->width;
  picture->height = canvas->height;
}

static FalCanvas *
load_canvas (const GstStructure *request, GBytes *image, GError **error)
{
  if (image != NULL)
    return fal_canvas_decode (image, error);
  return fal_canvas_new_gradient (
      GENERATED_SIZE, GENERATED_SIZE, gst_structure_get_string (request, "prompt"));
}

/* Where asked for, an in-between picture comes first: the model's input, as good as any here.
 * Returns how many. */
static guint
make_pictures (const FalSchema *schema, const FalEffect *effect, const GstStructure *request,
    GBytes *image, Picture pictures[2], GError **error)
{
  g_autoptr (FalCanvas) canvas = load_canvas (request, image, error);
  gboolean between = FALSE;
  guint count = 0;

  if (canvas == NULL)
    return 0;
  if (schema->between)
    gst_structure_get_boolean (request, "enable_interpolation", &between);
  if (between)
    picture_init (&pictures[count++], schema, canvas);
  if (fal_effect_is_echo (effect) && image != NULL && !schema->cutout) {
    pictures[count++] = (Picture){ g_bytes_ref (image), canvas->width, canvas->height };
    return count;
  }
  fal_effect_apply (effect, canvas);
  picture_init (&pictures[count++], schema, canvas);
  return count;
}

GBytes *
fal_model_run (const FalSchema *schema, const FalModelOptions *options, const GstStructure *request,
    GError **error)
{
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (GError) trouble = NULL;
  g_autoptr (GBytes) image = NULL;
  Picture pictures[2] = { 0 };
  GBytes *reply = NULL;
  gdouble seconds;
  guint count = 0;

  if (g_strcmp0 (gst_structure_get_string (request, "prompt"), "boom") == 0) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "model exploded: CUDA out of memory");
    return NULL;
  }
  image = find_image (schema, request, &trouble);
  if (trouble == NULL)
    count = make_pictures (schema, options->effect, request, image, pictures, &trouble);
  seconds = (g_get_monotonic_time () - begin) / (gdouble) G_USEC_PER_SEC;
  if (trouble == NULL)
    reply = schema->reply (schema, request, pictures, count, MAX (seconds, options->least_seconds),
        schema->echoes && options->echo_request_id, &trouble);
  for (guint i = 0; i < count; i++)
    picture_clear (&pictures[i]);
  if (trouble != NULL)
    g_propagate_error (error, g_steal_pointer (&trouble));
  return reply;
}
