/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "whole-element.h"

#include "../faults/invariants.h"
#include "what-is-told.h"

GST_PLUGIN_STATIC_DECLARE (fal);

/* What GTest would say of each input. */
static void
print_nothing (const gchar *text)
{
}

/* The first one to ask has the system's certificates read, which takes seconds under a sanitizer.
 */
static void
warm_tls_up (void)
{
  g_autoptr (GTlsDatabase) database =
      g_tls_backend_get_default_database (g_tls_backend_get_default ());
}

void
whole_element_init (gchar *program)
{
  static const gchar *const environment[][2] = {
    { "GST_PLUGIN_SYSTEM_PATH_1_0", "" },
    { "GST_PLUGIN_PATH_1_0", "" },
    { "GST_REGISTRY_UPDATE", "no" },
    { "GST_REGISTRY", "/dev/null" },
    { "GIO_USE_PROXY_RESOLVER", "dummy" },
  };
  gchar *argv_of_its_own[] = { program, NULL };
  gchar **argv = argv_of_its_own;
  int argc = 1;

  for (guint i = 0; i < G_N_ELEMENTS (environment); i++)
    g_setenv (environment[i][0], environment[i][1], TRUE);
  gst_init (NULL, NULL);
  GST_PLUGIN_STATIC_REGISTER (fal);
  g_set_print_handler (print_nothing);
  invariants_init (&argc, &argv);
  warm_tls_up ();
  told_watch_log ();
}
