/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fal/net/host-list.h"
#include "fal/net/public-address.h"

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
      g_assert_nonnull (strstr (error->message, "“cdn.example”"));
    if (i < 2)
      g_assert_nonnull (strstr (error->message, "result-hosts"));
  }
}

static const gchar *const public[] = {
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.0",
  "192.0.3.0",
  "192.88.98.255",
  "192.88.100.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "198.51.99.255",
  "198.51.101.0",
  "203.0.112.255",
  "203.0.114.0",
  "223.255.255.255",
  "2606:4700::1111",
  "2a00:1450:4001:80e::200e",
  "2001:4860:4860::8888",
  "2001:200::1",
  "2001:db7:ffff::1",
  "2001:db9::1",
  "3ffe:ffff::1",
  "64:ff9b::8.8.8.8",
  "::ffff:8.8.8.8",
  "::8.8.8.8",
  "::ffff:0:8.8.8.8",
  "2002:808:808::1",
  "2001:0:808:808:0:0:f7f7:f7f7",
  "2a00::200:5efe:808:808",
};

static const gchar *const not_public[] = {
  "0.0.0.0",
  "0.255.255.255",
  "10.0.0.0",
  "10.255.255.255",
  "100.64.0.0",
  "100.127.255.255",
  "127.0.0.1",
  "127.255.255.255",
  "169.254.0.0",
  "169.254.169.254",
  "169.254.255.255",
  "172.16.0.0",
  "172.31.255.255",
  "192.0.0.0",
  "192.0.0.255",
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.0",
  "192.168.255.255",
  "198.18.0.0",
  "198.19.255.255",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::2",
  "fc00::1",
  "fdff::1",
  "fe80::1",
  "febf::1",
  "fec0::1",
  "feff::1",
  "ff00::1",
  "ff02::1",
  "ffff::1",
  "100::1",
  "2001:db8::1",
  "2001:2::1",
  "2001:10::1",
  "2001:1ff::1",
  "3fff::1",
  "3fff:fff:ffff::1",
  "4000::1",
  "5f00::1",
  "1fff::1",
  "::127.0.0.1",
  "::10.0.0.1",
  "::ffff:127.0.0.1",
  "::ffff:169.254.169.254",
  "::ffff:0.0.0.0",
  "::ffff:0:192.168.0.1",
  "64:ff9b::10.0.0.1",
  "64:ff9b::127.0.0.1",
  "64:ff9b:1::8.8.8.8",
  "2002:7f00:1::1",
  "2002:c0a8:1::1",
  "2002:a9fe:a9fe::1",
  "2001:0:808:808:0:0:80ff:fffe",
  "2001:0:7f00:1:0:0:f7f7:f7f7",
  "2a00::5efe:c0a8:1",
  "2a00::200:5efe:7f00:1",
};

static void
test_addresses_are_public_or_not (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (public); i++) {
    g_autoptr (GInetAddress) address = g_inet_address_new_from_string (public[i]);

    g_test_message ("%s", public[i]);
    g_assert_true (fal_address_is_public (address));
  }
  for (guint i = 0; i < G_N_ELEMENTS (not_public); i++) {
    g_autoptr (GInetAddress) address = g_inet_address_new_from_string (not_public[i]);

    g_test_message ("%s", not_public[i]);
    g_assert_nonnull (address);
    g_assert_false (fal_address_is_public (address));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hosts/allowed", test_listed_hosts_are_allowed);
  g_test_add_func ("/hosts/refused", test_other_links_are_refused);
  g_test_add_func ("/hosts/longest", test_a_link_of_8_kib_is_the_longest);
  g_test_add_func ("/hosts/error", test_an_error_names_the_host_alone);
  g_test_add_func ("/hosts/addresses", test_addresses_are_public_or_not);
  return g_test_run ();
}
