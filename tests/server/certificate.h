/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server's certificate from its two PEM files. Any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* An error names both files and says what to do. */
GTlsCertificate *fal_certificate_load (const gchar *path, const gchar *key_path, GError **error);

G_END_DECLS
