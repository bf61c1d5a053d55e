/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Validation: a request's fields and its image, checked as the schema declares them. Any thread. */
#include "validation.h"
#include <string.h>

gboolean
fal_validation_check_fields (const FalSchema *schema, const GstStructure *request, GError **error)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  guint count = 0;

  for (gint i = 0; i < gst_structure_n_fields (request); i++) {
    const gchar *field = gst_structure_nth_field_name (request, i);

    if (fal_schema_knows (schema, field))
      continue;
    g_string_append_printf (
        lines, "\n%s\n  Extra inputs are not permitted [type=extra_forbidden]", field);
    count++;
  }
  if (count > 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%u validation error%s for Input%s",
        count, count > 1 ? "s" : "", lines->str);
  return count == 0;
}

gboolean
fal_validation_set_missing (const gchar *field, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: field required", field);
  return FALSE;
}

static GBytes *
decode_base64 (const gchar *text)
{
  gsize size;
  guchar *data = g_base64_decode (text, &size);

  return g_bytes_new_take (data, size);
}

static GBytes *
read_text (const FalSchemaInput *input, const gchar *text, GError **error)
{
  const gchar *comma = g_str_has_prefix (text, "data:") ? strstr (text, ";base64,") : NULL;

  if (comma != NULL && input->forms & FAL_FORM_DATA_URI)
    return decode_base64 (comma + strlen (";base64,"));
  if (strstr (text, ":") == NULL && input->forms & FAL_FORM_BASE64)
    return decode_base64 (text);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
      "%s: could not load an image from this text, send a data URI", input->name);
  return NULL;
}

static GBytes *
read_image (const FalSchemaInput *input, const GValue *value, GError **error)
{
  if (G_VALUE_HOLDS (value, G_TYPE_BYTES) && input->forms & FAL_FORM_BYTES)
    return g_value_dup_boxed (value);
  if (!G_VALUE_HOLDS_STRING (value) || !(input->forms & FAL_FORM_TEXT)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s type expected", input->name,
        input->forms & FAL_FORM_BYTES ? "bytes" : "str");
    return NULL;
  }
  if (g_value_get_string (value) == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: none is not an allowed value",
        input->name);
    return NULL;
  }
  return read_text (input, g_value_get_string (value), error);
}

GBytes *
fal_validation_find_image (const FalSchema *schema, const GstStructure *request, GError **error)
{
  for (guint i = 0; i < FAL_SCHEMA_INPUTS && schema->inputs[i].name != NULL; i++) {
    const GValue *value = gst_structure_get_value (request, schema->inputs[i].name);

    if (value != NULL)
      return read_image (&schema->inputs[i], value, error);
  }
  if (schema->needs_image || !gst_structure_has_field (request, "prompt"))
    fal_validation_set_missing (schema->inputs[0].name, error);
  return NULL;
}

gboolean
fal_validation_find_colour (
    const GstStructure *request, const gchar *field, guint8 colour[3], GError **error)
{
  const gchar *text = gst_structure_get_string (request, field);
  gsize digits = text && *text == '#' ? strspn (text + 1, "0123456789abcdefABCDEF") : 0;

  if (!gst_structure_has_field (request, field))
    return FALSE;
  if (digits != 6 || text[7] != '\0') {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        "%s: value is not a valid color, send #rrggbb", field);
    return FALSE;
  }
  for (guint i = 0; i < 3; i++)
    colour[i] =
        g_ascii_xdigit_value (text[1 + 2 * i]) * 16 + g_ascii_xdigit_value (text[2 + 2 * i]);
  return TRUE;
}
