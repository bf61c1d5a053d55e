/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What HTTP servers answer to the upgrade and to the request for a token. */
#include "fault-table.h"

#define STATUS(line)                                                                               \
  { PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 " line "\r\nContent-Length: 0\r\n\r\n" },         \
  {                                                                                                \
    PEER_CUT                                                                                       \
  }
#define BODY(body)                                                                                 \
  { PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 200 OK\r\n\r\n" body },                           \
  {                                                                                                \
    PEER_CUT                                                                                       \
  }
/* A token that is fine. */
#define TOKEN BODY ("\"token\"")

/* The upgrade, with a ready token: no other can be fetched. */
static const FaultRow upgrades[] = {
  { "400", SCRIPT (STATUS ("400 Bad Request")), .error = RESOURCE (FAILED, "no WebSocket here") },
  { "401", SCRIPT (STATUS ("401 Unauthorized")), .error = RESOURCE (NOT_AUTHORIZED, "set token") },
  { "403", SCRIPT (STATUS ("403 Forbidden")),
      .error = RESOURCE (NOT_AUTHORIZED, "allows this app") },
  { "404", SCRIPT (STATUS ("404 Not Found")),
      .error = RESOURCE (NOT_FOUND, "has this app a realtime endpoint?") },
  { "405", SCRIPT (STATUS ("405 Method Not Allowed")),
      .error = RESOURCE (FAILED, "HTTP status 405") },
  { "408", SCRIPT (STATUS ("408 Request Timeout")), .outage = RESOURCE (FAILED, "tried again") },
  { "426", SCRIPT (STATUS ("426 Upgrade Required")),
      .error = RESOURCE (FAILED, "HTTP status 426") },
  { "429", SCRIPT (STATUS ("429 Too Many Requests")), .outage = RESOURCE (BUSY, "close others") },
  { "500", SCRIPT (STATUS ("500 Internal Server Error")),
      .outage = RESOURCE (FAILED, "tried again") },
  { "502", SCRIPT (STATUS ("502 Bad Gateway")), .outage = RESOURCE (FAILED, "tried again") },
  { "503", SCRIPT (STATUS ("503 Service Unavailable")),
      .outage = RESOURCE (FAILED, "tried again") },
  { "504", SCRIPT (STATUS ("504 Gateway Timeout")), .outage = RESOURCE (FAILED, "tried again") },
  { "500-for-ever", SCRIPT (STATUS ("500 Internal Server Error")), .for_ever = TRUE,
      .properties = "retries=4", .outage = RESOURCE (FAILED, "HTTP status 500"),
      .error = RESOURCE (FAILED, "HTTP status 500"), .connections = 5 },
  { "301", SCRIPT (STATUS ("301 Moved\r\nLocation: /elsewhere")),
      .error = RESOURCE (FAILED, "redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "302", SCRIPT (STATUS ("302 Found\r\nLocation: /elsewhere")),
      .error = RESOURCE (FAILED, "redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "307", SCRIPT (STATUS ("307 Temporary\r\nLocation: /elsewhere")),
      .error = RESOURCE (FAILED, "redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "308", SCRIPT (STATUS ("308 Permanent\r\nLocation: /elsewhere")),
      .error = RESOURCE (FAILED, "redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "200-with-a-page", SCRIPT (BODY ("<html><body>Welcome</body></html>")),
      .error = RESOURCE (FAILED, "no WebSocket here") },
  { "a-wrong-accept",
      SCRIPT ({ PEER_HTTP },
          { PEER_SEND, .bytes = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: "
                                "Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
                                "\r\n" },
          { PEER_SERVE }),
      .error = RESOURCE (FAILED, "no WebSocket here") },
  { "no-accept",
      SCRIPT ({ PEER_HTTP },
          { PEER_SEND, .bytes = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: "
                                "Upgrade\r\n\r\n" },
          { PEER_SERVE }),
      .error = RESOURCE (FAILED, "no WebSocket here") },
  { "no-http",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "SSH-2.0-OpenSSH_9.2\r\n\r\n" }, { PEER_CUT }),
      .outage = RESOURCE (OPEN_READ_WRITE, "check base-uri") },
  { "headers-without-end",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 101 Switching\r\n" },
          { PEER_SEND, .bytes = "X-Header: 0123456789012345678901234567890\r\n",
              .times = FOR_EVER }),
      .properties = "connect-timeout=2000",
      .outage = RESOURCE (OPEN_READ_WRITE, "check base-uri") },
  { "a-page-without-end",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 404 Not Found\r\n\r\n" },
          { PEER_SEND, .bytes = "<html><body>all work and no play</body>", .times = FOR_EVER }),
      .properties = "connect-timeout=1000", .error = RESOURCE (NOT_FOUND, "HTTP status 404") },
};

/* A page that is announced, and of which only the beginning comes. */
#define STALLED_PAGE(line)                                                                         \
  { PEER_HTTP },                                                                                   \
      { PEER_SEND, .bytes = "HTTP/1.1 " line "\r\nContent-Length: 1000000\r\n\r\n<html>" },        \
  {                                                                                                \
    PEER_END                                                                                       \
  }

/* What is told does not wait for the page, nor does the next attempt, nor the end. */
static const FaultRow stalled_pages[] = {
  { "403", SCRIPT (STALLED_PAGE ("403 Forbidden")), .properties = "connect-timeout=0",
      .error = RESOURCE (NOT_AUTHORIZED, "allows this app") },
  { "503", SCRIPT (STALLED_PAGE ("503 Service Unavailable")), .properties = "connect-timeout=0",
      .outage = RESOURCE (FAILED, "tried again"), .connections = 2 },
  { "503-for-ever", SCRIPT (STALLED_PAGE ("503 Service Unavailable")), .for_ever = TRUE,
      .properties = "connect-timeout=0 retries=4", .outage = RESOURCE (FAILED, "HTTP status 503"),
      .error = RESOURCE (FAILED, "HTTP status 503"), .connections = 5 },
  { "token-500", SCRIPT (STALLED_PAGE ("500 Oops")), .fetches_token = TRUE,
      .properties = "connect-timeout=0", .outage = RESOURCE (FAILED, "HTTP status 500"),
      .connections = 3 },
};

/* With a key; a token is asked for first. */
static const FaultRow tokens[] = {
  { "a-string", SCRIPT (TOKEN), .fetches_token = TRUE, .connections = 2 },
  { "an-object-with-token", SCRIPT (BODY ("{\"token\":\"abc\"}")), .fetches_token = TRUE,
      .connections = 2 },
  { "an-object-with-detail", SCRIPT (BODY ("{\"detail\":\"abc\"}")), .fetches_token = TRUE,
      .connections = 2 },
  { "text", SCRIPT (BODY ("abc.def.ghi\n")), .fetches_token = TRUE, .connections = 2 },
  { "a-page", SCRIPT (BODY ("<html>Welcome</html>")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "token-uri"), .connections = 3 },
  { "half-an-object", SCRIPT (BODY ("{\"token\":\"abc")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "token-uri"), .connections = 3 },
  { "nothing", SCRIPT (BODY ("")), .fetches_token = TRUE, .outage = RESOURCE (FAILED, "token-uri"),
      .connections = 3 },
  { "a-number", SCRIPT (BODY ("12345")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "token-uri"), .connections = 3 },
  { "null", SCRIPT (BODY ("{\"token\":null}")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "token-uri"), .connections = 3 },
  { "ten-megabytes",
      SCRIPT ({ PEER_HTTP },
          { PEER_SEND, .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 10000002\r\n\r\n\"" },
          { PEER_SEND, .bytes = "0123456789", .times = 1000000 }, { PEER_SEND, .bytes = "\"" }),
      .fetches_token = TRUE, .outage = RESOURCE (FAILED, "token-uri") },
  { "without-end",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 200 OK\r\n\r\n\"" },
          { PEER_SEND, .bytes = "0123456789", .times = FOR_EVER }),
      .fetches_token = TRUE, .outage = RESOURCE (FAILED, "token-uri") },
  { "a-refusal-without-end",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 500 Oops\r\n\r\n\"" },
          { PEER_SEND, .bytes = "0123456789", .times = FOR_EVER }),
      .fetches_token = TRUE, .outage = RESOURCE (FAILED, "HTTP status 500") },
  { "nested-a-hundred-thousand-deep",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 200 OK\r\n\r\n" },
          { PEER_SEND, .bytes = "[", .times = 100000 }, { PEER_CUT }),
      .fetches_token = TRUE, .outage = RESOURCE (FAILED, "token-uri") },
  { "nested-just-within-the-length",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 200 OK\r\n\r\n" },
          { PEER_SEND, .bytes = "{\"token\":", .times = 7000 }, { PEER_CUT }),
      .fetches_token = TRUE, .outage = RESOURCE (FAILED, "token-uri") },
  { "line-breaks", SCRIPT (BODY ("\"abc\\r\\nX-Injected: 1\"")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "token-uri"), .never = "Injected" },
  { "bare-line-breaks", SCRIPT (BODY ("abc\r\nX-Injected: 1")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "token-uri"), .never = "Injected" },
  { "spaces", SCRIPT (BODY ("\"abc HTTP/1.1 injected\"")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "token-uri"), .never = "injected" },
  { "one-more-parameter", SCRIPT (BODY ("\"abc&injected=1\"")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "token-uri"), .never = "injected" },
  { "reset", SCRIPT ({ PEER_HTTP }, { PEER_RESET }), .fetches_token = TRUE,
      .outage = RESOURCE (OPEN_READ_WRITE, "requesting a token"), .connections = 3 },
  { "never-answered", SCRIPT ({ PEER_HTTP }, { PEER_STALL }), .fetches_token = TRUE,
      .properties = "connect-timeout=80",
      .outage = RESOURCE (OPEN_READ_WRITE, "requesting a token") },
  { "500", SCRIPT (STATUS ("500 Oops")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "HTTP status 500"), .connections = 3 },
  { "429", SCRIPT (STATUS ("429 Too Many")), .fetches_token = TRUE,
      .outage = RESOURCE (FAILED, "HTTP status 429"), .connections = 3 },
  { "302", SCRIPT (STATUS ("302 Found\r\nLocation: /elsewhere")), .fetches_token = TRUE,
      .error = RESOURCE (FAILED, "redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "401", SCRIPT (STATUS ("401 Unauthorized")), .for_ever = TRUE, .fetches_token = TRUE,
      .outage = RESOURCE (NOT_AUTHORIZED, "check api-key"),
      .error = RESOURCE (NOT_AUTHORIZED, "check api-key"), .connections = 2 },
  { "403", SCRIPT (STATUS ("403 Forbidden")), .for_ever = TRUE, .fetches_token = TRUE,
      .outage = RESOURCE (NOT_AUTHORIZED, "check api-key"),
      .error = RESOURCE (NOT_AUTHORIZED, "check api-key"), .connections = 2 },
  { "422", SCRIPT (STATUS ("422 Unprocessable")), .for_ever = TRUE, .fetches_token = TRUE,
      .outage = RESOURCE (NOT_AUTHORIZED, "check app"),
      .error = RESOURCE (NOT_AUTHORIZED, "check app"), .connections = 2 },
  { "a-stale-token-and-a-fresh-one",
      SCRIPT (TOKEN, { PEER_NEXT }, STATUS ("401 Unauthorized"), { PEER_NEXT }, BODY ("\"fresh\"")),
      .fetches_token = TRUE, .outage = RESOURCE (NOT_AUTHORIZED, "set token"), .connections = 4 },
  { "a-token-and-a-fresh-one-refused",
      SCRIPT (TOKEN, { PEER_NEXT }, STATUS ("403 Forbidden"), { PEER_NEXT }, BODY ("\"fresh\""),
          { PEER_NEXT }, STATUS ("403 Forbidden")),
      .fetches_token = TRUE, .outage = RESOURCE (NOT_AUTHORIZED, "set token"),
      .error = RESOURCE (NOT_AUTHORIZED, "set token"), .connections = 4 },
  { "the-token-that-was-refused-once-more",
      SCRIPT (TOKEN, { PEER_NEXT }, STATUS ("403 Forbidden"), { PEER_NEXT }, TOKEN),
      .fetches_token = TRUE, .outage = RESOURCE (NOT_AUTHORIZED, "set token"),
      .error = RESOURCE (NOT_AUTHORIZED, "is not sent again"), .connections = 3 },
};

/* ---- what the server asks for ---- */

static void
check_pause (Fixture *fixture, Peer *peer)
{
  g_assert_cmpint (peer_get_time (peer, 1) - peer_get_time (peer, 0), >=, G_USEC_PER_SEC);
}

static const FaultRow pauses[] = {
  { "a-second", SCRIPT (STATUS ("429 Too Many\r\nRetry-After: 1")),
      .outage = RESOURCE (BUSY, "close others"), .connections = 2, .check = check_pause },
  { "nonsense", SCRIPT (STATUS ("503 Busy\r\nRetry-After: -99999999999999999999")),
      .outage = RESOURCE (FAILED, "tried again"), .connections = 2 },
};

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
  FAULT_TABLE_ADD ("http/upgrade", upgrades);
  FAULT_TABLE_ADD ("http/stalled-page", stalled_pages);
  FAULT_TABLE_ADD ("http/token", tokens);
  FAULT_TABLE_ADD ("http/retry-after", pauses);
  return g_test_run ();
}
