/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What several tests of the local server begin with. */
#pragma once

#include "server.h"
#include <libsoup/soup.h>

G_BEGIN_DECLS

/* A server that must start. */
FalServer *fal_fixture_serve (FalServerOptions options);
/* The same over TLS, with the test certificate of that name. */
FalServer *fal_fixture_serve_tls (const gchar *certificate);

/* The path of a file of the test certificates. */
gchar *fal_fixture_dup_tls_file (const gchar *name);
/* Accepts what the test CA has signed, and nothing else. */
void fal_fixture_trust_test_ca (SoupSession *session);

/* A test for each row of a table, called @folder and the row's name. */
#define FAL_FIXTURE_ADD_ROWS(folder, rows, func)                                                   \
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {                                                \
    g_autofree gchar *name = g_strconcat (folder "/", (rows)[i].name, NULL);                       \
                                                                                                   \
    g_test_add_data_func (name, &(rows)[i], func);                                                 \
  }

G_END_DECLS
