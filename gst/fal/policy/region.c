/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The region: a text that was read once, and arithmetic of rectangles. */
#include "region.h"

#include <string.h>

typedef enum {
  WHOLE,
  FIXED,
  FOUND,
} Kind;

struct _FalRegion {
  Kind kind;
  FalArea area; /* FIXED */
  gchar *type;  /* FOUND; NULL: any */
  guint margin; /* percent */
};

/* An area's edges: what is right of and below it begins at @right and @bottom. */
typedef struct {
  gint64 left, top, right, bottom;
} Edges;

static gboolean
parse_number (gchar *text, gint64 least, gint *number)
{
  gint64 value;

  if (!g_ascii_string_to_signed (g_strstrip (text), 10, least, G_MAXINT, &value, NULL))
    return FALSE;
  *number = value;
  return TRUE;
}

/* The corner may lie outside of the frame, to the left and above, too. */
static gboolean
parse_area (const gchar *text, FalArea *area)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  return g_strv_length (parts) == 4 && parse_number (parts[0], G_MININT, &area->x) &&
         parse_number (parts[1], G_MININT, &area->y) && parse_number (parts[2], 1, &area->width) &&
         parse_number (parts[3], 1, &area->height);
}

static gboolean
parse (const gchar *text, FalRegion *region)
{
  static const gchar prefix[] = "meta:";

  if (*text == '\0')
    return TRUE;
  if (strcmp (text, "meta") == 0) {
    region->kind = FOUND;
    return TRUE;
  }
  if (g_str_has_prefix (text, prefix)) {
    region->kind = FOUND;
    region->type = g_strstrip (g_strdup (text + strlen (prefix)));
    return *region->type != '\0';
  }
  region->kind = FIXED;
  return parse_area (text, &region->area);
}

FalRegion *
fal_region_new (const gchar *text, guint margin)
{
  g_autoptr (FalRegion) region = g_atomic_rc_box_new0 (FalRegion);
  g_autofree gchar *stripped = g_strstrip (g_strdup (text ? text : ""));

  region->margin = margin;
  return parse (stripped, region) ? g_steal_pointer (&region) : NULL;
}

FalRegion *
fal_region_ref (FalRegion *region)
{
  return g_atomic_rc_box_acquire (region);
}

static void
clear_region (gpointer data)
{
  g_free (((FalRegion *) data)->type);
}

void
fal_region_unref (FalRegion *region)
{
  g_atomic_rc_box_release_full (region, clear_region);
}

gboolean
fal_region_is_whole (const FalRegion *region)
{
  return region->kind == WHOLE;
}

gboolean
fal_region_is_found (const FalRegion *region)
{
  return region->kind == FOUND;
}

const gchar *
fal_region_get_wanted_type (const FalRegion *region)
{
  return region->type;
}

/* With @margin percent of the size on each side. */
static Edges
get_edges (const FalArea *area, guint margin)
{
  gint64 across = (gint64) area->width * margin / 100, down = (gint64) area->height * margin / 100;

  return (Edges) { area->x - across, area->y - down, (gint64) area->x + area->width + across,
    (gint64) area->y + area->height + down };
}

/* What of it is within the frame. */
static Edges
clip (Edges edges, gint width, gint height)
{
  if (width == 0 || height == 0)
    return edges;
  return (Edges) { MAX (edges.left, 0), MAX (edges.top, 0), MIN (edges.right, width),
    MIN (edges.bottom, height) };
}

static gint64
count_pixels (const Edges *edges)
{
  return MAX (edges->right - edges->left, 0) * MAX (edges->bottom - edges->top, 0);
}

static FalArea
to_area (const Edges *edges)
{
  return (FalArea) { CLAMP (edges->left, G_MININT, G_MAXINT),
    CLAMP (edges->top, G_MININT, G_MAXINT), MIN (edges->right - edges->left, G_MAXINT),
    MIN (edges->bottom - edges->top, G_MAXINT) };
}

/* NULL: nothing of any of them is within the frame. */
static const FalArea *
choose_largest (const FalArea *areas, guint n, gint width, gint height)
{
  const FalArea *chosen = NULL;
  gint64 most = 0;

  for (guint i = 0; i < n; i++) {
    Edges edges = clip (get_edges (&areas[i], 0), width, height);

    if (count_pixels (&edges) <= most)
      continue;
    most = count_pixels (&edges);
    chosen = &areas[i];
  }
  return chosen;
}

FalRegionState
fal_region_find (
    const FalRegion *region, const FalArea *found, guint n, gint width, gint height, FalArea *part)
{
  const FalArea *chosen;
  Edges edges;

  *part = (FalArea) { 0 };
  if (region->kind == WHOLE)
    return FAL_REGION_THERE;
  if (region->kind == FOUND && n == 0)
    return FAL_REGION_ABSENT;
  chosen = region->kind == FOUND ? choose_largest (found, n, width, height)
                                 : choose_largest (&region->area, 1, width, height);
  if (chosen == NULL)
    return FAL_REGION_OUTSIDE;
  edges = clip (get_edges (chosen, region->margin), width, height);
  *part = to_area (&edges);
  return FAL_REGION_THERE;
}
