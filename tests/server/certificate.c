/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificate: read from disk, both files or none. Any thread. */
#include "certificate.h"

GTlsCertificate *
fal_certificate_load (const gchar *path, const gchar *key_path, GError **error)
{
  GTlsCertificate *certificate;

  if (path == NULL || key_path == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "A TLS certificate and its key go together, give both");
    return NULL;
  }
  certificate = g_tls_certificate_new_from_files (path, key_path, error);
  if (certificate == NULL)
    g_prefix_error (error,
        "Could not read the TLS certificate %s and its key %s, check both: ", path, key_path);
  return certificate;
}
