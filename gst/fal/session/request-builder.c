/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings, feedback and a frame go in, the bytes of a request come out. */
#include "request-builder.h"
#include "fal/image/encoder.h"
#include "fal/wire/value.h"

struct _FalRequestBuilder {
  FalEncoder *encoder;
  FalSettings *settings;
  gchar **start_fields; /* names that the settings list */
  GstStructure *inputs; /* by the last settings whose parameters-json could be parsed */
};

FalRequestBuilder *
fal_request_builder_new (void)
{
  FalRequestBuilder *builder = g_new0 (FalRequestBuilder, 1);

  builder->encoder = fal_encoder_new ();
  return builder;
}

void
fal_request_builder_free (FalRequestBuilder *builder)
{
  fal_encoder_free (builder->encoder);
  g_clear_pointer (&builder->settings, fal_settings_unref);
  g_strfreev (builder->start_fields);
  g_clear_pointer (&builder->inputs, gst_structure_free);
  g_free (builder);
}

/* ---- settings ---- */

/* Empty names are left out. */
static gchar **
split_names (const gchar *names)
{
  g_auto (GStrv) parts = g_strsplit (names ? names : "", ",", -1);
  g_autoptr (GStrvBuilder) list = g_strv_builder_new ();

  for (guint i = 0; parts[i] != NULL; i++)
    if (*g_strstrip (parts[i]) != '\0')
      g_strv_builder_add (list, parts[i]);
  return g_strv_builder_end (list);
}

gboolean
fal_request_builder_set_settings (FalRequestBuilder *builder, FalSettings *settings, GError **error)
{
  g_autoptr (FalSettings) old = builder->settings;
  GstStructure *inputs;

  builder->settings = fal_settings_ref (settings);
  if (settings == old)
    return TRUE;
  g_strfreev (builder->start_fields);
  builder->start_fields = split_names (fal_settings_get_start_fields (settings));
  inputs = fal_settings_get_parameters (settings, error);
  if (inputs == NULL) /* which is no news where the text is the one that failed before */
    return old && g_strcmp0 (old->parameters_json, settings->parameters_json) == 0;
  g_clear_pointer (&builder->inputs, gst_structure_free);
  builder->inputs = inputs;
  return TRUE;
}

/* ---- requests ---- */

/* The inputs of this request, where they differ from those of the settings; else NULL, and the
 * settings' own need not be copied. */
static GstStructure *
make_inputs (const FalRequestBuilder *builder, const FalRequestParts *parts)
{
  gchar **left_out = builder->start_fields;
  gboolean leaves_out = !parts->first && *left_out != NULL;
  const GstStructure *cue = gst_sample_get_info (parts->sample);
  GstStructure *inputs;

  if (!leaves_out && parts->feedback == NULL && cue == NULL && parts->inputs == NULL)
    return NULL;
  inputs = gst_structure_copy (builder->inputs);
  if (parts->feedback)
    fal_value_merge (inputs, parts->feedback);
  if (cue)
    fal_value_merge (inputs, cue);
  if (parts->inputs)
    fal_value_merge (inputs, parts->inputs);
  for (guint i = 0; leaves_out && left_out[i] != NULL; i++)
    gst_structure_remove_field (inputs, left_out[i]);
  return inputs;
}

/* The first request of a connection has its picture in the start field that no input fills, where
 * there is one. */
static const gchar *
choose_image_field (const FalRequestBuilder *builder, gboolean first, const GstStructure *inputs,
    const gchar *usual)
{
  gchar **names = builder->start_fields;
  const gchar *field = usual;

  for (guint i = 0; first && names[i] != NULL; i++)
    if (fal_value_get_path (inputs, names[i]) == NULL)
      field = names[i];
  return field;
}

/* NULL: the request is to be encoded as usual. */
static GBytes *
encode_by_application (const FalRequestParts *parts, const FalRequest *request)
{
  g_autoptr (GstStructure) map = NULL;

  if (parts->encode == NULL)
    return NULL;
  map = gst_structure_copy (request->parameters);
  if (request->request_id)
    gst_structure_set (map, "request_id", G_TYPE_STRING, request->request_id, NULL);
  return parts->encode (parts->user, map, request->image);
}

GBytes *
fal_request_builder_build (FalRequestBuilder *builder, const FalRequestParts *parts, GError **error)
{
  FalEncoderConfig config = fal_settings_get_encoder_config (builder->settings);
  FalRequest request = fal_settings_get_request (builder->settings);
  g_autoptr (GstStructure) inputs = NULL;
  g_autoptr (GBytes) image = NULL;
  GBytes *message;

  config.part = parts->part;
  image = fal_encoder_encode (
      builder->encoder, parts->sample, &config, &request.media_type, parts->layout, error);
  if (image == NULL)
    return NULL;
  inputs = make_inputs (builder, parts);
  request.parameters = inputs ? inputs : builder->inputs;
  request.image_field =
      choose_image_field (builder, parts->first, request.parameters, request.image_field);
  request.image = image;
  request.request_id = parts->request_id;
  message = encode_by_application (parts, &request);
  return message ? message : fal_protocol_encode_request (&request, error);
}

/* ---- feedback ---- */

GstStructure *
fal_request_builder_pick (const GstStructure *fields, const gchar *names)
{
  g_auto (GStrv) list = split_names (names);
  g_autoptr (GstStructure) picked = gst_structure_new_empty ("map");

  for (guint i = 0; fields != NULL && list[i] != NULL; i++) {
    const GValue *value = fal_value_get_path (fields, list[i]);
    GValue copy = G_VALUE_INIT;

    if (value == NULL)
      continue;
    g_value_init (&copy, G_VALUE_TYPE (value));
    g_value_copy (value, &copy);
    fal_value_take_path (picked, list[i], &copy);
  }
  return gst_structure_n_fields (picked) > 0 ? g_steal_pointer (&picked) : NULL;
}
