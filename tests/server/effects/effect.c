/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The effects: each works on an image in place, in a few milliseconds at 512×512, so that 30
 * pictures a second leave a core most of its time. Pure; any thread. */
#include "effect.h"
#include "cartoon.h"
#include "luma.h"

struct _FalEffect {
  const gchar *name;
  void (*apply) (FalRgbImage *image); /* NULL: the bytes come back as they are */
};

static void
invert (FalRgbImage *image)
{
  gsize size = (gsize) image->width * image->height * 3;

  for (gsize i = 0; i < size; i++)
    image->data[i] = 255 - image->data[i];
}

/* The right half becomes the left one's reflection. */
static void
mirror (FalRgbImage *image)
{
  for (guint y = 0; y < image->height; y++) {
    guint8 *row = image->data + (gsize) y * image->width * 3;

    for (guint x = 0; x < image->width / 2; x++)
      memcpy (row + 3 * (image->width - 1 - x), row + 3 * x, 3);
  }
}

/* How bright an outline of a given steepness glows, 0 to 256. */
static void
fill_glow (guint16 glow[512])
{
  for (guint i = 0; i < 512; i++) {
    gint light = ((gint) i - 12) * 5;

    glow[i] = CLAMP (light, 0, 256);
  }
}

/* One row of glowing outlines, whitened where they are brightest. */
static void
edge_row (const guint8 *above, const guint8 *here, const guint8 *below, const guint16 *glow,
    guint8 *row, guint width)
{
  for (guint x = 0; x < width; x++) {
    guint left = x ? x - 1 : 0, right = MIN (x + 1, width - 1);
    gint steep = ABS (here[right] - here[left]) + ABS (below[x] - above[x]);
    guint light = glow[steep];

    for (guint i = 0; i < 3; i++)
      row[3 * x + i] = ((row[3 * x + i] + 3 * 255) / 4 * light) >> 8;
  }
}

/* Outlines in a tint of the picture's own colours, on black. */
static void
edge (FalRgbImage *image)
{
  guint width = image->width, height = image->height;
  g_autofree guint8 *luma = fal_luma_new (image);
  g_autofree guint8 *soft = fal_luma_new_blurred (luma, width, height, 1);
  guint16 glow[512];

  fill_glow (glow);
  for (guint y = 0; y < height; y++) {
    gsize here = (gsize) y * width;
    const guint8 *above = soft + (y ? here - width : here);
    const guint8 *below = soft + (y + 1 < height ? here + width : here);

    edge_row (above, soft + here, below, glow, image->data + 3 * here, width);
  }
}

/* Pencil on paper: what is darker than its surroundings leaves a mark. */
static void
sketch (FalRgbImage *image)
{
  gsize pixels = (gsize) image->width * image->height;
  guint radius = MAX (2, image->width / 64);
  g_autofree guint8 *luma = fal_luma_new (image);
  g_autofree guint8 *once = fal_luma_new_blurred (luma, image->width, image->height, radius);
  g_autofree guint8 *soft = fal_luma_new_blurred (once, image->width, image->height, radius);

  for (gsize i = 0; i < pixels; i++) {
    guint shade = luma[i] * 255u / MAX (soft[i], 1);

    shade = MIN (shade, 255);
    memset (image->data + 3 * i, shade * shade / 255, 3);
  }
}

/* A heat camera's colours, from cold to hot. */
static void
fill_heat (guint8 palette[256][3])
{
  static const guint8 stops[][3] = { { 4, 2, 32 }, { 72, 8, 120 }, { 176, 24, 112 },
    { 240, 88, 40 }, { 252, 180, 28 }, { 255, 255, 208 } };
  const guint last = G_N_ELEMENTS (stops) - 1;

  for (guint i = 0; i < 256; i++) {
    guint stop = MIN (i * last / 255, last - 1), part = i * last - stop * 255;

    for (guint c = 0; c < 3; c++)
      palette[i][c] = (stops[stop][c] * (255 - part) + stops[stop + 1][c] * part) / 255;
  }
}

static void
thermal (FalRgbImage *image)
{
  gsize pixels = (gsize) image->width * image->height;
  g_autofree guint8 *luma = fal_luma_new (image);
  guint8 palette[256][3];

  fill_heat (palette);
  for (gsize i = 0; i < pixels; i++)
    memcpy (image->data + 3 * i, palette[luma[i]], 3);
}

/* What is light is white, and the rest black: a matte of what stands out. */
static void
mask (FalRgbImage *image)
{
  gsize pixels = (gsize) image->width * image->height;
  g_autofree guint8 *luma = fal_luma_new (image);

  for (gsize i = 0; i < pixels; i++)
    memset (image->data + 3 * i, luma[i] >= 128 ? 255 : 0, 3);
}

static const FalEffect effects[] = {
  { "echo", NULL },
  { "invert", invert },
  { "edge", edge },
  { "cartoon", fal_cartoon_apply },
  { "sketch", sketch },
  { "thermal", thermal },
  { "mirror", mirror },
  { "mask", mask },
};

const FalEffect *
fal_effect_find (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (effects); i++)
    if (g_strcmp0 (effects[i].name, name) == 0)
      return &effects[i];
  return NULL;
}

gchar *
fal_effect_dup_names (void)
{
  GString *names = g_string_new (effects[0].name);

  for (guint i = 1; i < G_N_ELEMENTS (effects); i++)
    g_string_append_printf (names, ", %s", effects[i].name);
  return g_string_free (names, FALSE);
}

gboolean
fal_effect_is_echo (const FalEffect *effect)
{
  return effect->apply == NULL;
}

void
fal_effect_apply (const FalEffect *effect, FalRgbImage *image)
{
  if (effect->apply != NULL)
    effect->apply (image);
}
