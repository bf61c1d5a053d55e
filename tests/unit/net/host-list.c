/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fal/net/host-list.h"

#include <string.h>

#define USUAL "*.fal.media,*.fal.ai,*.fal.run"
#define LABEL63 "aaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaab123"
#define LABELS253                                                                                  \
  LABEL63 "." LABEL63 "." LABEL63 "."                                                              \
          "aaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaabaaaaaaaaab"

static const struct {
  const gchar *list, *uri;
} allowed[] = {
  { USUAL, "https://v3.fal.media/files/a/b.jpg" },
  { USUAL, "https://v3.fal.media" },
  { USUAL, "https://v3.fal.media?x=1" },
  { USUAL, "https://v3.fal.media#x" },
  { USUAL, "https://v3.fal.media:443/x" },
  { USUAL, "HTTPS://V3.FAL.Media/x" },
  { USUAL, "https://a.b.c.fal.media/x" },
  { USUAL, "https://v3b.fal.media/x@y:z/%2e%2e?u=https://evil.example#@" },
  { USUAL, "https://rest.fal.ai/x" },
  { USUAL, "https://fal.fal.run/x" },
  { USUAL, "https://xn--bcher-kva.fal.media/x" },
  { " *.fal.media , *.FAL.ai", "https://x.fal.ai/" },
  { ",,fal.media,", "https://fal.media/" },
  { "FAL.MEDIA", "https://fal.media/" },
  { "fal.media:443", "https://fal.media/" },
  { "localhost:8443", "https://localhost:8443/x" },
  { "localhost:8443", "https://LOCALHOST:8443/x" },
  { "*.x.y:8443", "https://a.x.y:8443/x" },
  { "*", "https://anything.example/" },
  { "*:8443", "https://anything.example:8443/" },
  { "203.0.113.7", "https://203.0.113.7/" },
  { "127.0.0.1:8443", "https://127.0.0.1:8443/" },
  { "[2001:DB8::7]", "https://[2001:db8:0::7]/" },
  { "[::1]:8443", "https://[::1]:8443/" },
  { "*.x.y", "https://a_b-c.x.y/" },
  { "*.b", "https://" LABEL63 ".b/" },
  { "*", "https://" LABELS253 "b/" },
};

static void
test_listed_hosts_are_allowed (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (allowed); i++) {
    g_autoptr (GError) error = NULL;
    gboolean good = fal_host_list_allows (allowed[i].list, allowed[i].uri, &error);

    g_test_message ("%s in %s", allowed[i].uri, allowed[i].list);
    g_assert_no_error (error);
    g_assert_true (good);
    g_assert_true (fal_host_list_allows (allowed[i].list, allowed[i].uri, NULL));
  }
}

static const struct {
  const gchar *list, *uri;
} refused[] = {
  /* another host */
  { NULL, "https://v3.fal.media/" },
  { "", "https://v3.fal.media/" },
  { ",", "https://v3.fal.media/" },
  { USUAL, "https://fal.media/" },
  { USUAL, "https://evilfal.media/" },
  { USUAL, "https://v3.fal.media.evil.example/" },
  { USUAL, "https://v3-fal.media/" },
  { USUAL, "https://evil.example/v3.fal.media" },
  { USUAL, "https://evil.example?v3.fal.media" },
  { USUAL, "https://evil.example#.fal.media" },
  { USUAL, "https://evil.example;.fal.media/" },
  { "fal.media", "https://v3.fal.media/" },
  { "fal.media", "https://fal.medic/" },
  { "a", "https://b/" },
  { "a.example,v3.fal.media.", "https://v3.fal.media/" },
  /* the wildcard stands at the front, before a dot, or alone */
  { "*fal.media", "https://v3.fal.media/" },
  { "v3.*", "https://v3.fal.media/" },
  { "v3.*.media", "https://v3.fal.media/" },
  { "*.", "https://v3.fal.media/" },
  { "**", "https://v3.fal.media/" },
  { "*.*", "https://v3.fal.media/" },
  /* scheme */
  { USUAL, "http://v3.fal.media/" },
  { USUAL, "ftp://v3.fal.media/" },
  { USUAL, "wss://v3.fal.media/" },
  { USUAL, "file:///etc/passwd" },
  { USUAL, "data:image/png;base64,AAAA" },
  { USUAL, "//v3.fal.media/" },
  { USUAL, "v3.fal.media" },
  { USUAL, "https:/v3.fal.media/" },
  { USUAL, "https:v3.fal.media/" },
  { USUAL, "" },
  { "*", "https://" },
  { "*", "https:///x" },
  { "*", "https://:443/" },
  /* port */
  { USUAL, "https://v3.fal.media:80/" },
  { USUAL, "https://v3.fal.media:8443/" },
  { USUAL, "https://v3.fal.media:/" },
  { USUAL, "https://v3.fal.media:0/" },
  { USUAL, "https://v3.fal.media:65979/" }, /* 443 in 16 bits */
  { USUAL, "https://v3.fal.media:4294967739/" },
  { USUAL, "https://v3.fal.media:443x/" },
  { USUAL, "https://v3.fal.media:-443/" },
  { USUAL, "https://v3.fal.media:443:443/" },
  { "localhost:8443", "https://localhost/" },
  { "localhost:8443", "https://localhost:8444/" },
  { "*:x", "https://v3.fal.media/" },
  /* user and password */
  { USUAL, "https://user:password@v3.fal.media/" },
  { USUAL, "https://user@v3.fal.media/" },
  { USUAL, "https://@v3.fal.media/" },
  { USUAL, "https://v3.fal.media@evil.example/" },
  { USUAL, "https://evil.example@v3.fal.media/" },
  { USUAL, "https://v3.fal.media:443@evil.example/" },
  { "*", "https://a@b@c/" },
  /* what parsers differ on */
  { USUAL, "https://evil.example\\.fal.media/" },
  { USUAL, "https:\\\\v3.fal.media/" },
  { USUAL, "https://evil.example%2f.fal.media/" },
  { USUAL, "https://evil.example%00.fal.media/" },
  { USUAL, "https://v3%2efal.media/" },
  { USUAL, "https://evil.example%23.fal.media/" },
  { USUAL, "https://evil.example\t.fal.media/" },
  { USUAL, "https://v3.fal.media/ x" },
  { USUAL, "https://v3.fal.media/\r\nAuthorization: x" },
  { USUAL, " https://v3.fal.media/" },
  { USUAL, "https://v3.fal.media\n" },
  { USUAL, "https://v3.fal.media./" },
  { USUAL, "https://.fal.media/" },
  { USUAL, "https://v3..fal.media/" },
  { USUAL, "https://..fal.media/" },
  { "*", "https://./" },
  { USUAL, "https://*.fal.media/" },
  { USUAL, "https://v3,fal.media/" },
  { USUAL, "https://bücher.fal.media/" },
  { USUAL, "https://v3.fal.media/ü" },
  { USUAL, "https://v3\xef\xbc\x8e"
           "fal.media/" },                       /* full-width dot */
  { USUAL, "https://v3.fal\xe3\x80\x82media/" }, /* ideographic dot */
  { USUAL, "https://\xff.fal.media/" },
  /* addresses, as such and as resolvers take them */
  { "*", "https://127.0.0.1/" },
  { "*", "https://8.8.8.8/" },
  { "*", "https://127.1/" },
  { "*", "https://2130706433/" },
  { "*", "https://0x7f000001/" },
  { "*", "https://0x7f.0.0.1/" },
  { "*", "https://0177.0.0.01/" },
  { "*", "https://1.2.3.0x4/" },
  { "*", "https://169.254.169.254/latest/meta-data/" },
  { "*", "https://[::1]/" },
  { "*", "https://[::ffff:127.0.0.1]/" },
  { "*", "https://[fe80::1%25eth0]/" },
  { "[fe80::1]", "https://[fe80::1%25eth0]/" },
  { "[fe80::1%25eth0]", "https://[fe80::1]/" },
  { "[fe80::1%eth0]", "https://[fe80::1]/" },
  { "*", "https://[]/" },
  { "*", "https://[::1/" },
  { "*", "https://[::1]x/" },
  { "*", "https://[v1.x]/" },
  { "*", "https://[v3.fal.media]/" },
  { "*", "https://::1/" },
  { "*.0.0.1", "https://127.0.0.1/" },
  { "127.0.0.1", "https://127.0.0.01/" },
  { "127.0.0.1", "https://127.1/" },
  { "127.0.0.1", "https://[::ffff:127.0.0.1]/" },
  { "[127.0.0.1]", "https://127.0.0.1/" },
  { "127.0.0.1", "https://[127.0.0.1]/" },
  { "127.0.0.1", "https://127.0.0.1:8443/" },
  { "127.0.0.1", "https://127.0.0.2/" },
  { "[2001:db8::7]", "https://[2001:db8::8]/" },
  { "2001:db8::7", "https://[2001:db8::7]/" },
  /* too long */
  { "*.b", "https://" LABEL63 "4.b/" },
  { "*", "https://" LABELS253 "bc/" },
};

static void
test_other_links_are_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree gchar *shown = g_strescape (refused[i].uri, NULL);
    gboolean good = fal_host_list_allows (refused[i].list, refused[i].uri, &error);

    g_test_message ("%s in %s", shown, refused[i].list ? refused[i].list : "(none)");
    g_assert_false (good);
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
    g_assert_nonnull (strstr (error->message, "sync_mode=true"));
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_false (fal_host_list_allows (refused[i].list, refused[i].uri, NULL));
  }
}

static void
test_a_link_of_8_kib_is_the_longest (void)
{
  GString *uri = g_string_new ("https://v3.fal.media/");

  while (uri->len < 8192)
    g_string_append_c (uri, 'x');
  g_assert_true (fal_host_list_allows (USUAL, uri->str, NULL));
  g_string_append_c (uri, 'x');
  g_assert_false (fal_host_list_allows (USUAL, uri->str, NULL));
  g_string_free (uri, TRUE);
}

static void
test_an_error_names_the_host_alone (void)
{
  const gchar *const links[] = {
    "https://cdn.example/hush?sig=hush#hush",
    "https://cdn.example:8443/hush",
    "http://cdn.example/hush?sig=hush",
    "https://hush:hush@cdn.example/hush",
    "https://v3.fal.media/hush hush",
  };

  for (guint i = 0; i < G_N_ELEMENTS (links); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (fal_host_list_allows (USUAL, links[i], &error));
    g_assert_null (strstr (error->message, "hush"));
    if (i < 2)
      g_assert_nonnull (strstr (error->message, "\"cdn.example\""));
    if (i < 2)
      g_assert_nonnull (strstr (error->message, "result-hosts"));
  }
}

static const struct {
  const gchar *location, *link; /* NULL: none */
} redirects[] = {
  { "b.jpg", "https://v3.fal.media/files/b.jpg" },
  { "/b.jpg", "https://v3.fal.media/b.jpg" },
  { "//x.fal.ai/b.jpg", "https://x.fal.ai/b.jpg" },
  { "http://10.0.0.1/b.jpg", "http://10.0.0.1/b.jpg" },
  { "https://[", NULL },
  { "https:b.jpg", NULL },
  { "https:/..///b.jpg", NULL },
};

static void
test_a_redirect_leads_to_a_link_or_nowhere (void)
{
  g_autoptr (GUri) from =
      g_uri_parse ("https://v3.fal.media/files/a.jpg", G_URI_FLAGS_ENCODED, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (redirects); i++) {
    g_autofree gchar *link = fal_host_list_follow (from, redirects[i].location);

    g_assert_cmpstr (link, ==, redirects[i].link);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host-list/allowed", test_listed_hosts_are_allowed);
  g_test_add_func ("/host-list/refused", test_other_links_are_refused);
  g_test_add_func ("/host-list/longest", test_a_link_of_8_kib_is_the_longest);
  g_test_add_func ("/host-list/error", test_an_error_names_the_host_alone);
  g_test_add_func ("/host-list/redirect", test_a_redirect_leads_to_a_link_or_nowhere);
  return g_test_run ();
}
