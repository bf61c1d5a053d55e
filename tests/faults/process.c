/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"
#include "../element/waiting.h"

#include <malloc.h>
#include <string.h>
#include <unistd.h>

#define DESCRIPTORS "/proc/self/fd"
#define THREADS "/proc/self/task"

static guint
count_entries (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

guint
process_count_descriptors (void)
{
  return count_entries (DESCRIPTORS);
}

guint
process_count_threads (void)
{
  return count_entries (THREADS);
}

static gchar *
list_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open (THREADS, 0, NULL);
  GString *names = g_string_new (NULL);
  const gchar *id;

  while ((id = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_strdup_printf (THREADS "/%s/comm", id);
    g_autofree gchar *name = NULL;

    if (g_file_get_contents (path, &name, NULL, NULL))
      g_string_append_printf (names, "%s ", g_strchomp (name));
  }
  return g_string_free (names, FALSE);
}

static void
wait_for_entries (const gchar *folder, guint most)
{
  Wait wait = wait_begin (1000, folder, G_STRLOC);

  while (count_entries (folder) > most)
    if (!wait_goes_on (&wait)) {
      g_autofree gchar *threads = list_threads ();

      g_error ("%s holds %u entries, held %u before; threads: %s", folder, count_entries (folder),
          most, threads);
    }
}

void
process_wait_for_descriptors (guint most)
{
  wait_for_entries (DESCRIPTORS, most);
}

void
process_wait_for_threads (guint most)
{
  wait_for_entries (THREADS, most);
}

gsize
process_get_resident (void)
{
  g_autofree gchar *text = NULL;
  const gchar *resident;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return 0;
  resident = strchr (text, ' ');
  return g_ascii_strtoull (resident + 1, NULL, 10) * sysconf (_SC_PAGESIZE);
}

gsize
process_get_allocated (void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  const struct mallinfo2 all = mallinfo2 (); /* of all arenas, though its manual says otherwise */

  return all.uordblks + all.hblkhd;
#else
  return 0;
#endif
}
