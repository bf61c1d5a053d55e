/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outcome: a map for each kind of result, in the order of fields that the real apps have. Any
 * thread. */
#include "outcome.h"
#include "canvas.h"
#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"

/* Where a linking app would have put its picture; nobody is there. */
#define NOWHERE "https://v3.fal.media/files/local/picture.jpg"

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
to_data_uri (const FalOutcomePicture *picture)
{
  gsize size;
  const guchar *data = g_bytes_get_data (picture->bytes, &size);
  g_autofree gchar *text = g_base64_encode (data, size);

  return g_strdup_printf ("data:%s;base64,%s", fal_canvas_content_type (picture->bytes), text);
}

/* NULL: the bytes themselves stand in the result. */
static gchar *
dup_url (const FalOutcomeParts *parts, const FalOutcomePicture *picture)
{
  gboolean sync = FALSE;

  if (parts->schema->links) {
    gst_structure_get_boolean (parts->request, "sync_mode", &sync);
    if (!sync)
      return g_strdup (parts->url ? parts->url : NOWHERE);
  } else if (parts->url != NULL) {
    return g_strdup (parts->url);
  }
  return g_str_equal (parts->schema->output, "url") ? to_data_uri (picture) : NULL;
}

/* {content or url, width, height, content_type} */
static GstStructure *
describe_picture (const FalOutcomeParts *parts, const FalOutcomePicture *picture)
{
  GstStructure *map = gst_structure_new_empty ("map");
  g_autofree gchar *url = dup_url (parts, picture);

  if (url != NULL)
    gst_structure_set (map, "url", G_TYPE_STRING, url, NULL);
  else
    gst_structure_set (map, parts->schema->output, G_TYPE_BYTES, picture->bytes, NULL);
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

/* {images: [{…}], timings, seed, num_inference_steps, has_nsfw_concepts} */
static void
add_images (GstStructure *map, const FalOutcomeParts *parts)
{
  GValue images = G_VALUE_INIT, harmless = G_VALUE_INIT;

  gst_value_array_init (&images, parts->n_pictures);
  for (guint i = 0; i < parts->n_pictures; i++) {
    GValue image = G_VALUE_INIT;

    take_map (&image, describe_picture (parts, &parts->pictures[i]));
    gst_value_array_append_and_take_value (&images, &image);
  }
  gst_structure_take_value (map, "images", &images);
  set_timings (map, parts->seconds);
  copy_integer (map, parts->request, "seed", 42);
  copy_integer (map, parts->request, "num_inference_steps", 4);
  g_value_init (&harmless, G_TYPE_BOOLEAN);
  take_list (map, "has_nsfw_concepts", &harmless);
}

/* {image: {…}} */
static void
add_image (GstStructure *map, const FalOutcomeParts *parts)
{
  GValue image = G_VALUE_INIT;

  take_map (&image, describe_picture (parts, &parts->pictures[0]));
  gst_structure_take_value (map, "image", &image);
}

/* {image: bytes, timings, seed} */
static void
add_bytes (GstStructure *map, const FalOutcomeParts *parts)
{
  gst_structure_set (map, parts->schema->output, G_TYPE_BYTES, parts->pictures[0].bytes, NULL);
  set_timings (map, parts->seconds);
  copy_integer (map, parts->request, "seed", 42);
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
encode (const FalSchema *schema, const GstStructure *map, GError **error)
{
  gchar *text;

  if (!schema->json)
    return fal_value_to_msgpack (map, error);
  text = fal_value_to_json (map, error);
  return text ? g_bytes_new_take (text, strlen (text)) : NULL;
}

GBytes *
fal_outcome_new (const FalOutcomeParts *parts, GError **error)
{
  g_autoptr (GstStructure) map = gst_structure_new_empty ("map");

  switch (parts->schema->kind) {
  case FAL_OUTCOME_IMAGES:
    add_images (map, parts);
    break;
  case FAL_OUTCOME_IMAGE:
    add_image (map, parts);
    break;
  case FAL_OUTCOME_BYTES:
    add_bytes (map, parts);
    break;
  case FAL_OUTCOME_RAW:
    return g_bytes_ref (parts->pictures[0].bytes);
  }
  if (parts->state != NULL)
    fal_value_merge (map, parts->state);
  if (parts->echo)
    set_request_id (map, parts->request);
  return encode (parts->schema, map, error);
}
