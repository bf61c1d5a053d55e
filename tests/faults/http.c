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
  { "400", SCRIPT (STATUS ("400 Bad Request")),
      .error = RESOURCE (FAILED, "There is no WebSocket here") },
  { "401", SCRIPT (STATUS ("401 Unauthorized")), .error = RESOURCE (NOT_AUTHORIZED, "Set token") },
  { "403", SCRIPT (STATUS ("403 Forbidden")),
      .error = RESOURCE (NOT_AUTHORIZED, "allows this app") },
  { "404", SCRIPT (STATUS ("404 Not Found")),
      .error = RESOURCE (NOT_FOUND, "does the app have a realtime endpoint?") },
  { "405", SCRIPT (STATUS ("405 Method Not Allowed")),
      .error = RESOURCE (FAILED, "HTTP status 405") },
  { "408", SCRIPT (STATUS ("408 Request Timeout")), .outage = RESOURCE (FAILED, "Trying again") },
  { "426", SCRIPT (STATUS ("426 Upgrade Required")),
      .error = RESOURCE (FAILED, "HTTP status 426") },
  { "429", SCRIPT (STATUS ("429 Too Many Requests")), .outage = RESOURCE (BUSY, "close others") },
  { "500", SCRIPT (STATUS ("500 Internal Server Error")),
      .outage = RESOURCE (FAILED, "Trying again") },
  { "502", SCRIPT (STATUS ("502 Bad Gateway")), .outage = RESOURCE (FAILED, "Trying again") },
  { "503", SCRIPT (STATUS ("503 Service Unavailable")),
      .outage = RESOURCE (FAILED, "Trying again") },
  { "504", SCRIPT (STATUS ("504 Gateway Timeout")), .outage = RESOURCE (FAILED, "Trying again") },
  { "500-in-words-that-forge", SCRIPT (STATUS ("500 \x1b[31mRed\x07\xe2\x80\xae\xff")),
      .outage = RESOURCE (FAILED, "HTTP status 500"), .connections = 2 },
  { "500-for-ever", SCRIPT (STATUS ("500 Internal Server Error")), .for_ever = TRUE,
      .properties = "retries=4", .outage = RESOURCE (FAILED, "HTTP status 500"),
      .error = RESOURCE (FAILED, "Giving up after as many attempts as retries=4 allows."),
      .connections = 5 },
  { "301", SCRIPT (STATUS ("301 Moved\r\nLocation: /elsewhere")),
      .error = RESOURCE (FAILED, "Redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "302", SCRIPT (STATUS ("302 Found\r\nLocation: /elsewhere")),
      .error = RESOURCE (FAILED, "Redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "307", SCRIPT (STATUS ("307 Temporary\r\nLocation: /elsewhere")),
      .error = RESOURCE (FAILED, "Redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "308", SCRIPT (STATUS ("308 Permanent\r\nLocation: /elsewhere")),
      .error = RESOURCE (FAILED, "Redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "200-with-a-page", SCRIPT (BODY ("<html><body>Welcome</body></html>")),
      .error = RESOURCE (FAILED, "There is no WebSocket here") },
  { "a-wrong-accept",
      SCRIPT ({ PEER_HTTP },
          { PEER_SEND, .bytes = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: "
                                "Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"
                                "\r\n" },
          { PEER_SERVE }),
      .error = RESOURCE (FAILED, "does not keep to the protocol") },
  { "no-accept",
      SCRIPT ({ PEER_HTTP },
          { PEER_SEND, .bytes = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: "
                                "Upgrade\r\n\r\n" },
          { PEER_SERVE }),
      .error = RESOURCE (FAILED, "does not keep to the protocol") },
  { "an-extension-that-nobody-offered",
      SCRIPT ({ PEER_HTTP },
          { PEER_SEND, .bytes = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: "
                                "Upgrade\r\nSec-WebSocket-Extensions: x-zip; a=1\r\n\r\n" },
          { PEER_SERVE }),
      .error =
          RESOURCE (FAILED, "an extension that nobody offered, x-zip. The server, or a proxy") },
  { "401-without-credentials", SCRIPT (STATUS ("401 Unauthorized")), .properties = "auth=none",
      .error = RESOURCE (NOT_AUTHORIZED, "no credentials were sent. An app that is not public") },
  { "403-without-credentials", SCRIPT (STATUS ("403 Forbidden")), .properties = "auth=none",
      .error = RESOURCE (NOT_AUTHORIZED, "check app and path") },
  { "no-http",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "SSH-2.0-OpenSSH_9.2\r\n\r\n" }, { PEER_CUT }),
      .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri") },
  { "headers-without-end",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 101 Switching\r\n" },
          { PEER_SEND, .bytes = "X-Header: 0123456789012345678901234567890\r\n",
              .times = FOR_EVER }),
      .properties = "connect-timeout=2000",
      .outage = RESOURCE (OPEN_READ_WRITE, "Check base-uri") },
  { "a-page-without-end",
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 404 Not Found\r\n\r\n" },
          { PEER_SEND, .bytes = "<html><body>all work and no play</body>", .times = FOR_EVER }),
      .properties = "connect-timeout=1000", .error = RESOURCE (NOT_FOUND, "HTTP status 404") },
};

/* Results flowed, then something in between answers in the server's place: a portal, a balancer. */
#define RESULTS_FIRST                                                                              \
  { PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, { PEER_CLOSE, 1000 },                         \
  {                                                                                                \
    PEER_NEXT                                                                                      \
  }
#define WRONG_ACCEPT                                                                               \
  { PEER_HTTP },                                                                                   \
      { PEER_SEND, .bytes = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: "         \
                            "Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"    \
                            "\r\n" },                                                              \
  {                                                                                                \
    PEER_CUT                                                                                       \
  }
#define PORTAL "a portal, proxy or balancer. Trying again"

static const FaultRow in_mid_session[] = {
  { "302", SCRIPT (RESULTS_FIRST, STATUS ("302 Found\r\nLocation: /elsewhere")),
      .outage = RESOURCE (FAILED, PORTAL), .connections = 3, .never = "elsewhere" },
  { "200-with-a-page", SCRIPT (RESULTS_FIRST, BODY ("<html>Log in</html>")),
      .outage = RESOURCE (FAILED, PORTAL), .connections = 3 },
  { "403", SCRIPT (RESULTS_FIRST, STATUS ("403 Forbidden")),
      .outage = RESOURCE (NOT_AUTHORIZED, PORTAL), .connections = 3 },
  { "404", SCRIPT (RESULTS_FIRST, STATUS ("404 Not Found")), .outage = RESOURCE (NOT_FOUND, PORTAL),
      .connections = 3 },
  { "407", SCRIPT (RESULTS_FIRST, STATUS ("407 Proxy Authentication Required")),
      .error = RESOURCE (NOT_AUTHORIZED, "in proxy"), .connections = 2 },
  { "401", SCRIPT (RESULTS_FIRST, STATUS ("401 Unauthorized")),
      .error = RESOURCE (NOT_AUTHORIZED, "Set token"), .connections = 2 },
  { "a-wrong-accept", SCRIPT (RESULTS_FIRST, WRONG_ACCEPT), .outage = RESOURCE (FAILED, PORTAL),
      .connections = 3 },
  { "all-of-them-told-once",
      SCRIPT (RESULTS_FIRST, STATUS ("302 Found\r\nLocation: /elsewhere"), { PEER_NEXT },
          STATUS ("403 Forbidden"), { PEER_NEXT }, STATUS ("404 Not Found"), { PEER_NEXT },
          BODY ("<html>Log in</html>"), { PEER_NEXT }, WRONG_ACCEPT),
      .outage = RESOURCE (FAILED, PORTAL), .connections = 7, .never = "elsewhere" },
  { "as-often-as-retries-allows", SCRIPT (RESULTS_FIRST, STATUS ("404 Not Found")),
      .for_ever = TRUE, .properties = "retries=2", .outage = RESOURCE (NOT_FOUND, PORTAL),
      .error = RESOURCE (NOT_FOUND, "Giving up after as many attempts as retries=2 allows."),
      .connections = 4 },
  { "the-token-server-s-403",
      SCRIPT (TOKEN, { PEER_NEXT }, RESULTS_FIRST, STATUS ("403 Forbidden"), { PEER_NEXT }, TOKEN),
      .fetches_token = TRUE, .outage = RESOURCE (NOT_AUTHORIZED, PORTAL), .connections = 5 },
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
      .outage = RESOURCE (FAILED, "Trying again"), .connections = 2 },
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
  /* {"exp":1000}: it has only just been made, so that this machine's clock is fast. */
  { "a-token-that-seems-to-have-ended", SCRIPT (BODY ("\"e30.eyJleHAiOjEwMDB9.c2ln\"")),
      .fetches_token = TRUE, .connections = 2 },
  /* {"iat":9000000000,"exp":9000000120}: or slow. */
  { "a-token-that-does-not-hold-yet",
      SCRIPT (BODY ("\"e30.eyJpYXQiOjkwMDAwMDAwMDAsImV4cCI6OTAwMDAwMDEyMH0.c2ln\"")),
      .fetches_token = TRUE, .connections = 2 },
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
      .error = RESOURCE (FAILED, "Redirects are not followed"), .connections = 1,
      .never = "elsewhere" },
  { "401", SCRIPT (STATUS ("401 Unauthorized")), .for_ever = TRUE, .fetches_token = TRUE,
      .outage = RESOURCE (NOT_AUTHORIZED, "Check api-key"),
      .error = RESOURCE (NOT_AUTHORIZED, "Check api-key"), .connections = 2 },
  { "403", SCRIPT (STATUS ("403 Forbidden")), .for_ever = TRUE, .fetches_token = TRUE,
      .outage = RESOURCE (NOT_AUTHORIZED, "Check api-key"),
      .error = RESOURCE (NOT_AUTHORIZED, "Check api-key"), .connections = 2 },
  { "422", SCRIPT (STATUS ("422 Unprocessable")), .for_ever = TRUE, .fetches_token = TRUE,
      .outage = RESOURCE (NOT_AUTHORIZED, "Check app"),
      .error = RESOURCE (NOT_AUTHORIZED, "Check app"), .connections = 2 },
  { "a-stale-token-and-a-fresh-one",
      SCRIPT (TOKEN, { PEER_NEXT }, STATUS ("401 Unauthorized"), { PEER_NEXT }, BODY ("\"fresh\"")),
      .fetches_token = TRUE, .outage = RESOURCE (NOT_AUTHORIZED, "Set token"), .connections = 4 },
  { "a-token-and-a-fresh-one-refused",
      SCRIPT (TOKEN, { PEER_NEXT }, STATUS ("403 Forbidden"), { PEER_NEXT }, BODY ("\"fresh\""),
          { PEER_NEXT }, STATUS ("403 Forbidden")),
      .fetches_token = TRUE, .outage = RESOURCE (NOT_AUTHORIZED, "Set token"),
      .error = RESOURCE (NOT_AUTHORIZED, "Set token"), .connections = 4 },
  { "the-token-that-was-refused-once-more",
      SCRIPT (TOKEN, { PEER_NEXT }, STATUS ("403 Forbidden"), { PEER_NEXT }, TOKEN),
      .fetches_token = TRUE, .outage = RESOURCE (NOT_AUTHORIZED, "Set token"),
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
      .outage = RESOURCE (FAILED, "Trying again"), .connections = 2 },
};

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
  FAULT_TABLE_ADD ("http/upgrade", upgrades);
  FAULT_TABLE_ADD ("http/in-mid-session", in_mid_session);
  FAULT_TABLE_ADD ("http/stalled-page", stalled_pages);
  FAULT_TABLE_ADD ("http/token", tokens);
  FAULT_TABLE_ADD ("http/retry-after", pauses);
  return g_test_run ();
}
