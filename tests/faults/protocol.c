/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a server says over a WebSocket that stands: close codes, control messages, replies that
 * nobody can read, replies to nobody's question, too much of everything. */
#include "fault-table.h"

#define TEXT_FRAME(text)                                                                           \
  {                                                                                                \
    PEER_FRAME, 1, .bytes = text                                                                   \
  }
#define BINARY_FRAME(text)                                                                         \
  {                                                                                                \
    PEER_FRAME, 2, BYTES (text)                                                                    \
  }
#define CLOSE_TO_FIT(code) SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_CLOSE, code })

/* ---- close codes ---- */

static const FaultRow closes[] = {
  { "1000", CLOSE_TO_FIT (1000), .connections = 2 },
  { "none", CLOSE_TO_FIT (0), .connections = 2 },
  { "1001", CLOSE_TO_FIT (1001), .outage = RESOURCE (READ, "code 1001"), .connections = 2 },
  { "1002", CLOSE_TO_FIT (1002), .outage = RESOURCE (READ, "code 1002"), .connections = 2 },
  { "1003", CLOSE_TO_FIT (1003), .outage = RESOURCE (READ, "check image-field"), .connections = 2 },
  { "1007", CLOSE_TO_FIT (1007), .outage = RESOURCE (READ, "check image-field"), .connections = 2 },
  { "1008", CLOSE_TO_FIT (1008), .error = RESOURCE (NOT_AUTHORIZED, "set a fresh one"),
      .connections = 1 },
  { "1009", CLOSE_TO_FIT (1009), .outage = RESOURCE (READ, "lower width"), .connections = 2 },
  { "1011", CLOSE_TO_FIT (1011), .outage = RESOURCE (READ, "code 1011"), .connections = 2 },
  { "1012", CLOSE_TO_FIT (1012), .outage = RESOURCE (READ, "code 1012"), .connections = 2 },
  { "1013", CLOSE_TO_FIT (1013), .outage = RESOURCE (READ, "code 1013"), .connections = 2 },
  { "3000", CLOSE_TO_FIT (3000), .outage = RESOURCE (READ, "code 3000"), .connections = 2 },
  { "4001", CLOSE_TO_FIT (4001), .outage = RESOURCE (READ, "code 4001"), .connections = 2 },
  { "1009-for-ever", CLOSE_TO_FIT (1009), .for_ever = TRUE,
      .outage = RESOURCE (READ, "lower width"), .error = RESOURCE (READ, "lower width"),
      .remark = RESOURCE (READ, "Gave up on"), .may_remark = TRUE, .connections = 5 },
  { "1008-with-a-fresh-token",
      SCRIPT ({ PEER_UPGRADE }, { PEER_NEXT }, { PEER_UPGRADE }, { PEER_CLOSE, 1008 }),
      .fetches_token = TRUE, .outage = RESOURCE (NOT_AUTHORIZED, "set a fresh one"),
      .connections = 4 },
  { "data-after-it",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_CLOSE, 1011 }, { PEER_ANSWER },
          BINARY_FRAME ("\xc1"), { PEER_FRAME, 2, .size = 1 << 20, .times = 20 }),
      .outage = RESOURCE (READ, "code 1011"), .connections = 2 },
  { "a-reason-that-forges",
      SCRIPT ({ PEER_UPGRADE },
          { PEER_FRAME, 8, .bytes = "\x03\xf3\x1b[31m\nERROR: forged\xe2\x80\xae\x7f" }),
      .outage = RESOURCE (READ, "\\x1b[31m\\nERROR: forged\\u202e\\x7f"), .connections = 2 },
  { "a-reason-that-is-long",
      SCRIPT ({ PEER_UPGRADE },
          { PEER_FRAME, 8,
              .bytes = "\x03\xf3"
                       "012345678901234567890123456789012345678901234567890123456789"
                       "012345678901234567890123456789012345678901234567890123456789" }),
      .outage = RESOURCE (READ, "code 1011"), .connections = 2 },
};

/* ---- control messages ---- */

#define TIMEOUT_TEXT                                                                               \
  "{\"type\":\"x-fal-error\",\"error\":\"TIMEOUT\",\"reason\":\"no inputs, reconnect when "        \
  "needed!\"}"
#define INTERNAL_TEXT                                                                              \
  "{\"type\":\"x-fal-error\",\"error\":\"INTERNAL_ERROR\",\"reason\":\"CUDA out of memory\"}"
#define DARK_TEXT "{\"status\":\"error\",\"error\":\"dark\"}"
/* A request, and an error in place of its answer. */
#define ERROR_ANSWER                                                                               \
  { PEER_AWAIT },                                                                                  \
  {                                                                                                \
    PEER_FRAME, 1, .bytes = DARK_TEXT                                                              \
  }
#define UNAUTHORIZED_TEXT "{\"status\":\"error\",\"error\":\"Unauthorized\"}"

static const FaultRow controls[] = {
  { "timings",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER },
          TEXT_FRAME ("{\"type\":\"x-fal-message\",\"action\":\"timings\",\"timing\":0.2}"),
          { PEER_SERVE }),
      .connections = 1 },
  { "strange-timings",
      SCRIPT ({ PEER_UPGRADE },
          TEXT_FRAME ("{\"type\":\"x-fal-message\",\"action\":\"timings\",\"timing\":-1e308}"),
          TEXT_FRAME ("{\"type\":\"x-fal-message\",\"action\":\"timings\",\"timing\":\"x\"}"),
          TEXT_FRAME ("{\"type\":\"x-fal-message\",\"action\":\"timings\"}"), { PEER_SERVE }),
      .connections = 1 },
  { "idleness",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, TEXT_FRAME (TIMEOUT_TEXT),
          { PEER_CLOSE, 1000 }),
      .connections = 2 },
  { "an-error-of-the-model",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, TEXT_FRAME (INTERNAL_TEXT), { PEER_CLOSE, 1000 }),
      .outage = RESOURCE (FAILED, "CUDA out of memory"), .connections = 2 },
  { "errors-of-the-model-for-ever",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, TEXT_FRAME (INTERNAL_TEXT), { PEER_CLOSE, 1000 }),
      .for_ever = TRUE, .outage = RESOURCE (FAILED, "CUDA out of memory"),
      .error = RESOURCE (FAILED, "CUDA out of memory"),
      .remark = RESOURCE (READ, "Gave up on"), .may_remark = TRUE, .connections = 5 },
  { "a-storm-of-errors",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          { PEER_FRAME, 1, .bytes = INTERNAL_TEXT, .times = 2000 }),
      .outage = RESOURCE (FAILED, "CUDA out of memory"), .connections = 2 },
  { "unauthorized", SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, TEXT_FRAME (UNAUTHORIZED_TEXT)),
      .error = RESOURCE (NOT_AUTHORIZED, "refused the token"), .connections = 1 },
  { "unauthorized-with-a-fresh-token",
      SCRIPT ({ PEER_UPGRADE }, { PEER_NEXT }, { PEER_UPGRADE }, { PEER_AWAIT },
          TEXT_FRAME (UNAUTHORIZED_TEXT)),
      .fetches_token = TRUE, .outage = RESOURCE (NOT_AUTHORIZED, "refused the token"),
      .connections = 4 },
  { "another-error",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          TEXT_FRAME ("{\"status\":\"error\",\"error\":\"image is too dark\"}"), { PEER_SERVE }),
      .remark = RESOURCE (FAILED, "too dark"), .connections = 1 },
  { "a-storm-of-other-errors",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, { PEER_AWAIT },
          { PEER_FRAME, 1, .bytes = DARK_TEXT, .times = 1000 }, { PEER_SERVE }),
      .remark = RESOURCE (FAILED, "dark"), .connections = 1 },
  { "an-error-in-place-of-every-answer",
      SCRIPT ({ PEER_UPGRADE }, ERROR_ANSWER, ERROR_ANSWER, ERROR_ANSWER, ERROR_ANSWER,
          ERROR_ANSWER, { PEER_SERVE }),
      .remark = RESOURCE (FAILED, "dark"), .error = RESOURCE (FAILED, "dark"), .connections = 1 },
  { "a-result-between-errors",
      SCRIPT ({ PEER_UPGRADE }, ERROR_ANSWER, ERROR_ANSWER, ERROR_ANSWER, ERROR_ANSWER,
          { PEER_AWAIT }, { PEER_ANSWER, 4, .bytes = "" }, ERROR_ANSWER, ERROR_ANSWER, ERROR_ANSWER,
          ERROR_ANSWER, ERROR_ANSWER, { PEER_SERVE }),
      .remark = RESOURCE (FAILED, "test/app/image"), .connections = 1 },
  { "webrtc", SCRIPT ({ PEER_UPGRADE }, TEXT_FRAME ("{\"type\":\"iceservers\"}")),
      .error = RESOURCE (FAILED, "WebRTC"), .connections = 1 },
  /* Apps of frames may greet like those of WebRTC. */
  { "type-ready", SCRIPT ({ PEER_UPGRADE }, TEXT_FRAME ("{\"type\":\"ready\"}"), { PEER_SERVE }),
      .connections = 1 },
  { "type-ready-and-no-more",
      SCRIPT (
          { PEER_UPGRADE }, TEXT_FRAME ("{\"type\":\"ready\"}"), { PEER_AWAIT }, { PEER_STALL }),
      .properties = "request-timeout=200", .outage = RESOURCE (READ, "WebRTC"), .connections = 2 },
  { "ready", SCRIPT ({ PEER_UPGRADE }, TEXT_FRAME ("{\"status\":\"ready\"}"), { PEER_SERVE }),
      .connections = 1 },
  { "an-unknown-type",
      SCRIPT ({ PEER_UPGRADE }, TEXT_FRAME ("{\"type\":\"x-fal-new\",\"a\":[1,\"b\",{}]}"),
          { PEER_SERVE }),
      .connections = 1 },
  { "text-that-is-no-json",
      SCRIPT ({ PEER_UPGRADE }, TEXT_FRAME ("hello"), TEXT_FRAME (""), TEXT_FRAME ("[1,"),
          TEXT_FRAME ("nul"), TEXT_FRAME ("{\"a\":"), { PEER_SERVE }),
      .connections = 1 },
  { "a-megabyte-of-text",
      SCRIPT ({ PEER_UPGRADE }, { PEER_SEND, BYTES ("\x81\x7f\0\0\0\0\0\x0f\x42\x40") },
          { PEER_SEND, .bytes = "0123456789", .times = 100000 }, { PEER_SERVE }),
      .connections = 1 },
  { "a-megabyte-of-brackets",
      SCRIPT ({ PEER_UPGRADE }, { PEER_SEND, BYTES ("\x81\x7f\0\0\0\0\0\x0f\x42\x40") },
          { PEER_SEND, .bytes = "{\"a\":[[[[", .times = 111111 }, { PEER_SEND, .bytes = "[" },
          { PEER_SERVE }),
      .connections = 1 },
};

/* ---- replies that nobody can read ---- */

#define REPLY(bytes) SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, BINARY_FRAME (bytes), { PEER_SERVE })
#define BROKEN STREAM (DECODE, "")

static const FaultRow replies[] = {
  { "empty", SCRIPT ({ PEER_UPGRADE }, { PEER_SEND, BYTES ("\x82\0") }, { PEER_SERVE }),
      .connections = 1 },
  { "one-byte", REPLY ("\xc1"), .remark = BROKEN, .connections = 1 },
  { "nil", REPLY ("\xc0"), .remark = BROKEN, .connections = 1 },
  { "garbage", REPLY ("\xde\xad\xbe\xef\xfe\xed\xfa\xce"), .remark = BROKEN, .connections = 1 },
  { "truncated",
      REPLY ("\x81\xa6images\x91\x81\xa7"
             "content\xc4\x80"
             "abc"),
      .remark = BROKEN, .connections = 1 },
  { "trailing-bytes", REPLY ("\x80\x80"), .remark = BROKEN, .connections = 1 },
  { "an-array-of-four-billion", REPLY ("\x81\xa6images\xdd\xff\xff\xff\xff\xc0"), .remark = BROKEN,
      .connections = 1 },
  { "a-map-of-four-billion",
      REPLY ("\xdf\xff\xff\xff\xff\xa1"
             "a\xc0"),
      .remark = BROKEN, .connections = 1 },
  { "a-string-of-four-billion",
      REPLY ("\x81\xa6images\xdb\xff\xff\xff\xff"
             "abc"),
      .remark = BROKEN, .connections = 1 },
  { "four-billion-bytes",
      REPLY ("\x81\xa6images\xc6\xff\xff\xff\xff"
             "abc"),
      .remark = BROKEN, .connections = 1 },
  { "an-extension-of-four-billion",
      REPLY ("\x81\xa6images\xc9\xff\xff\xff\xff\x01"
             "abc"),
      .remark = BROKEN, .connections = 1 },
  { "nested-a-hundred-thousand-deep",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          { PEER_SEND, BYTES ("\x82\x7f\0\0\0\0\0\x01\x86\xa8\x81\xa6images") },
          { PEER_SEND, .bytes = "\x91", .times = 100000 }, { PEER_SERVE }),
      .remark = BROKEN, .connections = 1 },
  { "a-megabyte-of-nils",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          { PEER_SEND, BYTES ("\x82\x7f\0\0\0\0\0\x0f\x42\x4d\x81\xa6images\xdd\0\x0f\x42\x40") },
          { PEER_SEND, .bytes = "\xc0", .times = 1000000 }, { PEER_SERVE }),
      .remark = BROKEN, .connections = 1 },
  { "ten-thousand-keys",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          { PEER_SEND, BYTES ("\x82\x7e\x75\x33\xde\x27\x10") },
          { PEER_SEND,
              .bytes = "\xa1"
                       "a\x01",
              .times = 10000 },
          { PEER_SERVE }),
      .remark = BROKEN, .connections = 1 },
  { "images-that-are-text", REPLY ("{\"images\":\"x\"}"), .remark = BROKEN, .connections = 1 },
  { "no-images", REPLY ("{\"images\":[]}"), .remark = BROKEN, .connections = 1 },
  { "an-image-of-nil", REPLY ("\x81\xa6images\x91\xc0"), .remark = BROKEN, .connections = 1 },
  { "images-that-are-a-number", REPLY ("{\"images\":7}"), .remark = BROKEN, .connections = 1 },
  { "a-width-below-zero", REPLY ("{\"images\":[{\"width\":-1,\"height\":1e308,\"content\":\"\"}]}"),
      .remark = BROKEN, .connections = 1 },
  { "a-width-that-is-no-number", REPLY ("\x82\xa6images\x90\xa5width\xcb\x7f\xf8\0\0\0\0\0\0"),
      .remark = BROKEN, .connections = 1 },
  { "a-picture-that-is-nothing", REPLY ("{\"images\":[{\"content\":null}]}"), .remark = BROKEN,
      .connections = 1 },
  { "a-data-uri-without-comma", REPLY ("{\"images\":[{\"url\":\"data:image/png;base64\"}]}"),
      .remark = BROKEN, .connections = 1 },
  { "bad-base64", REPLY ("{\"images\":[{\"url\":\"data:image/png;base64,????####\"}]}"),
      .remark = BROKEN, .connections = 1 },
  { "an-open-link", REPLY ("{\"images\":[{\"url\":\"http://169.254.169.254/latest\"}]}"),
      .remark = STREAM (WRONG_TYPE, "https://"), .connections = 1 },
  { "a-link-to-an-address", REPLY ("{\"images\":[{\"url\":\"https://169.254.169.254/latest\"}]}"),
      .remark = STREAM (WRONG_TYPE, "169.254.169.254"), .connections = 1 },
  { "a-link-to-this-machine", REPLY ("{\"images\":[{\"url\":\"https://localhost/x.jpg\"}]}"),
      .remark = STREAM (WRONG_TYPE, "localhost"), .connections = 1 },
  { "a-storm-of-them",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_FRAME, 2, .bytes = "\xc1", .times = 5000 },
          { PEER_SERVE }),
      .remark = BROKEN, .connections = 1 },
};

/* ---- answers to nobody's question ---- */

#define ANSWERS(...) SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, __VA_ARGS__, { PEER_SERVE })
/* The app is known to echo, two more requests are out. */
#define ECHOES(...) ANSWERS ({ PEER_ANSWER, 0 }, { PEER_AWAIT }, { PEER_AWAIT }, __VA_ARGS__)

static void
check_late (Fixture *fixture, Peer *peer)
{
  g_assert_cmpuint (fixture_stat (fixture, "results-late"), >, 0);
}

/* Whether its result was shown in time is a matter of who got the processor. */
static void
check_each_is_answered (Fixture *fixture)
{
  g_assert_cmpuint (fixture_stat (fixture, "answered"), ==, fixture_stat (fixture, "frames-sent"));
}

/* They took no request with them. */
static void
check_foreign (Fixture *fixture, Peer *peer)
{
  g_assert_cmpuint (fixture_stat (fixture, "results-foreign"), >, 0);
  check_each_is_answered (fixture);
}

/* All its replies are answers. */
static void
check_own_ids (Fixture *fixture, Peer *peer)
{
  g_assert_cmpuint (fixture_stat (fixture, "results-foreign"), ==, 0);
  check_each_is_answered (fixture);
}

static void
check_ignored (Fixture *fixture, Peer *peer)
{
  g_assert_cmpuint (fixture_stat (fixture, "messages-ignored"), ==, 4);
  g_assert_cmpuint (fixture_stat (fixture, "results-invalid"), ==, 0);
  g_assert_cmpuint (fixture_stat (fixture, "failed"), ==, 0);
}

static void
check_one_failed (Fixture *fixture, Peer *peer)
{
  g_assert_cmpuint (fixture_stat (fixture, "failed"), ==, 1);
  g_assert_cmpuint (fixture_stat (fixture, "lost"), ==, 0);
  g_assert_cmpuint (fixture_stat (fixture, "expired"), ==, 0);
}

static void
check_two_failed (Fixture *fixture, Peer *peer)
{
  g_assert_cmpuint (fixture_stat (fixture, "failed"), ==, 2);
  g_assert_cmpuint (fixture_stat (fixture, "expired"), ==, 0);
}

/* One more result for the same frame. */
static void
check_two (Fixture *fixture, Peer *peer)
{
  g_assert_cmpuint (fixture_stat (fixture, "results"), ==, fixture_stat (fixture, "answered") + 1);
}

static void
check_lost (Fixture *fixture, Peer *peer)
{
  g_assert_cmpuint (fixture_stat (fixture, "lost"), ==, 1);
}

static const FaultRow answers[] = {
  { "an-id-that-was-never-asked-with",
      ANSWERS ({ PEER_ANSWER, 0, .bytes = "frame-999999" }, { PEER_ANSWER, 0 }), .connections = 1,
      .check = check_foreign },
  { "foreign-ids-before-each-answer",
      ANSWERS ({ PEER_ANSWER, 0, .bytes = "x1" }, { PEER_ANSWER, 0, .bytes = "x2" },
          { PEER_ANSWER, 0 }, { PEER_AWAIT }, { PEER_ANSWER, 1, .bytes = "x3" },
          { PEER_ANSWER, 1 }),
      .properties = "max-in-flight=1", .connections = 1, .check = check_foreign },
  { "ids-of-the-app-s-own",
      ANSWERS ({ PEER_ANSWER, 0, .bytes = "a" }, { PEER_AWAIT }, { PEER_ANSWER, 1, .bytes = "b" },
          { PEER_AWAIT }, { PEER_ANSWER, 2, .bytes = "c" }),
      .properties = "max-in-flight=1", .connections = 1, .check = check_own_ids },
  { "messages-that-are-no-answer",
      ANSWERS (TEXT_FRAME ("{\"progress\":0.3}"), BINARY_FRAME ("{\"progress\":0.6}"),
          { PEER_FRAME, 2 }, TEXT_FRAME ("{\"message\":\"done\",\"timings\":{\"inference\":1}}"),
          { PEER_ANSWER, 0 }),
      .properties = "max-in-flight=1", .connections = 1, .check = check_ignored },
  { "messages-that-are-no-answer-nor-is-there-an-id",
      ANSWERS (TEXT_FRAME ("{\"progress\":0.3}"), BINARY_FRAME ("{\"progress\":0.6}"),
          { PEER_ANSWER, 0, .bytes = "" }, { PEER_AWAIT }, { PEER_FRAME, 2 },
          TEXT_FRAME ("{\"message\":\"done\"}"), { PEER_ANSWER, 1, .bytes = "" }),
      .properties = "max-in-flight=1", .connections = 1, .check = check_ignored },
  { "unreadable-with-the-id-of-one-of-two",
      ECHOES (BINARY_FRAME ("\x81\xaarequest_id\xa7"
                            "frame-2xx"),
          { PEER_ANSWER, 2 }),
      .properties = "max-in-flight=2", .remark = BROKEN, .connections = 1,
      .check = check_one_failed },
  { "unreadable-where-one-is-out",
      ANSWERS ({ PEER_ANSWER, 0 }, { PEER_AWAIT }, BINARY_FRAME ("\xc1")),
      .properties = "max-in-flight=1", .remark = BROKEN, .connections = 1,
      .check = check_one_failed },
  { "as-many-unreadable-as-are-out", ECHOES (BINARY_FRAME ("\xc1"), BINARY_FRAME ("\xc1")),
      .properties = "max-in-flight=2", .remark = BROKEN, .connections = 1,
      .check = check_two_failed },
  { "ids-that-are-none",
      ANSWERS ({ PEER_ANSWER, 0 }, { PEER_AWAIT }, { PEER_ANSWER, 1, .bytes = "-1" },
          { PEER_ANSWER, 1, .bytes = "1" }, { PEER_ANSWER, 1, .bytes = "frame-" },
          { PEER_ANSWER, 1, .bytes = "frame-0" }, { PEER_ANSWER, 1, .bytes = "frame-1x" },
          { PEER_ANSWER, 1, .bytes = "frame-99999999999999999999999" }, { PEER_ANSWER, 1 }),
      .properties = "max-in-flight=1", .connections = 1, .check = check_foreign },
  { "no-id", ANSWERS ({ PEER_ANSWER, 0, .bytes = "" }), .connections = 1 },
  { "no-id-ever",
      ANSWERS ({ PEER_ANSWER, 0, .bytes = "" }, { PEER_AWAIT }, { PEER_ANSWER, 1, .bytes = "" },
          { PEER_AWAIT }, { PEER_ANSWER, 2, .bytes = "" }),
      .properties = "max-in-flight=8", .connections = 1 },
  { "the-same-answer-twice", ANSWERS ({ PEER_ANSWER, 0 }, { PEER_ANSWER, 0 }), .connections = 1,
      .check = check_two },
  { "an-old-answer-again",
      ECHOES ({ PEER_ANSWER, 1 }, { PEER_ANSWER, 0 }, { PEER_ANSWER, 2 }, { PEER_ANSWER, 1 }),
      .properties = "max-in-flight=4", .connections = 1, .check = check_late },
  { "the-wrong-order", ECHOES ({ PEER_ANSWER, 2 }, { PEER_ANSWER, 1 }),
      .properties = "max-in-flight=4", .connections = 1, .check = check_late },
  { "one-of-two-is-never-answered", ECHOES ({ PEER_ANSWER, 2 }), .properties = "max-in-flight=4",
      .connections = 1, .check = check_lost },
  { "no-id-though-the-others-have-one",
      ECHOES ({ PEER_ANSWER, 2, .bytes = "" }, { PEER_ANSWER, 1 }, { PEER_ANSWER, 2 }),
      .properties = "max-in-flight=4", .connections = 1, .check = check_late },
  { "after-the-request-expired",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER, 0 }, { PEER_AWAIT }, { PEER_AWAIT },
          { PEER_FRAME, 1, .bytes = "{\"type\":\"alive\"}", .times = 12, .pause = 25000 },
          { PEER_ANSWER, 1 }, { PEER_SERVE }),
      .properties = "max-in-flight=2 request-timeout=150",
      .remark = RESOURCE (OPEN_READ_WRITE, "request-timeout"), .connections = 1,
      .check = check_late },
  { "two-pictures-in-one", ANSWERS ({ PEER_ANSWER, 0, .images = 2 }), .connections = 1 },
  { "a-thousand-pictures-in-one", ANSWERS ({ PEER_ANSWER, 0, .images = 1000 }), .connections = 1 },
  { "answers-before-any-request",
      SCRIPT ({ PEER_UPGRADE }, BINARY_FRAME ("{\"images\":[],\"request_id\":\"frame-77\"}"),
          { PEER_SERVE }),
      .connections = 1, .check = check_foreign },
  { "pings-but-no-answer",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          { PEER_FRAME, 9, .bytes = "?", .times = 1000, .pause = 10000 }),
      .properties = "request-timeout=200", .outage = RESOURCE (READ, "request-timeout"),
      .connections = 2 },
};

/* ---- frames that no WebSocket may send, and too much of them ---- */

#define LIMIT "max-message-size=65536"
#define TOO_BIG RESOURCE (FAILED, "max-message-size")
#define VIOLATION RESOURCE (OPEN_READ_WRITE, "the connection broke")
#define RAW(bytes) SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_SEND, BYTES (bytes) })

static const FaultRow frames[] = {
  { "a-message-at-the-limit",
      SCRIPT ({ PEER_UPGRADE }, { PEER_FRAME, 1, .size = 65536 }, { PEER_SERVE }),
      .properties = LIMIT, .connections = 1 },
  { "one-byte-over-the-limit", SCRIPT ({ PEER_UPGRADE }, { PEER_FRAME, 1, .size = 65537 }),
      .properties = LIMIT, .outage = TOO_BIG, .connections = 2 },
  { "fragments-at-the-limit",
      SCRIPT ({ PEER_UPGRADE }, { PEER_FRAME, 1, .size = 16384, .more = TRUE },
          { PEER_FRAME, 0, .size = 16384, .more = TRUE, .times = 2 },
          { PEER_FRAME, 0, .size = 16384 }, { PEER_SERVE }),
      .properties = LIMIT, .connections = 1 },
  { "fragments-one-byte-over-the-limit",
      SCRIPT ({ PEER_UPGRADE }, { PEER_FRAME, 1, .size = 16384, .more = TRUE },
          { PEER_FRAME, 0, .size = 16384, .more = TRUE, .times = 3 }, { PEER_FRAME, 0, .size = 1 }),
      .properties = LIMIT " request-timeout=1000", .outage = TOO_BIG, .connections = 2 },
  { "fragments-without-end",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_FRAME, 2, .size = 65536, .more = TRUE },
          { PEER_FRAME, 0, .size = 65536, .more = TRUE, .times = FOR_EVER }),
      .outage = TOO_BIG, .connections = 2 },
  { "fragments-without-end-and-a-low-limit",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_FRAME, 2, .size = 1000, .more = TRUE },
          { PEER_FRAME, 0, .size = 1000, .more = TRUE, .times = FOR_EVER }),
      .properties = LIMIT, .outage = TOO_BIG, .connections = 2 },
  { "empty-fragments-without-end",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_FRAME, 2, .size = 1, .more = TRUE },
          { PEER_SEND, BYTES ("\0\0"), .times = FOR_EVER }),
      .properties = "request-timeout=500", .outage = RESOURCE (READ, "request-timeout"),
      .connections = 2 },
  { "fifty-megabytes-in-one",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          { PEER_SEND, BYTES ("\x82\x7f\0\0\0\0\x02\xfa\xf0\x80") },
          { PEER_SEND, .bytes = "0123456789", .times = 5000000 }),
      .outage = TOO_BIG, .connections = 2 },
  { "a-length-of-exabytes", RAW ("\x82\x7f\x3f\xff\xff\xff\xff\xff\xff\xff"), .outage = TOO_BIG,
      .connections = 2 },
  { "a-length-below-zero", RAW ("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), .outage = TOO_BIG,
      .connections = 2 },
  { "a-length-longer-than-it-need-be", RAW ("\x82\x7e\0\x01\xc1"), .outage = VIOLATION,
      .connections = 2 },
  { "a-mask",
      RAW ("\x82\x81"
           "abcd\xc1"),
      .outage = VIOLATION, .connections = 2 },
  { "reserved-bits", RAW ("\xf2\x01\xc1"), .outage = VIOLATION, .connections = 2 },
  { "a-reserved-opcode", RAW ("\x83\x01\xc1"), .outage = VIOLATION, .connections = 2 },
  { "a-reserved-control-opcode", RAW ("\x8b\x01\xc1"), .outage = VIOLATION, .connections = 2 },
  { "a-continuation-of-nothing", RAW ("\x80\x01\xc1"), .outage = VIOLATION, .connections = 2 },
  { "a-message-within-a-message", RAW ("\x02\x01\x81\x82\x01\xc1"), .outage = VIOLATION,
      .connections = 2 },
  { "a-ping-in-fragments", RAW ("\x09\x01x"), .outage = VIOLATION, .connections = 2 },
  { "a-ping-that-is-long", SCRIPT ({ PEER_UPGRADE }, { PEER_FRAME, 9, .size = 126 }),
      .outage = VIOLATION, .connections = 2 },
  { "a-close-of-one-byte", RAW ("\x88\x01\x03"), .outage = VIOLATION, .connections = 2 },
  { "text-that-is-not-utf-8", RAW ("\x81\x02\xc3\x28"), .outage = VIOLATION, .connections = 2 },
  { "many-pings",
      SCRIPT ({ PEER_UPGRADE }, { PEER_FRAME, 9, .size = 125, .times = 5000 }, { PEER_SERVE }),
      .connections = 1 },
  { "many-pongs",
      SCRIPT ({ PEER_UPGRADE }, { PEER_FRAME, 10, .size = 125, .times = 5000 }, { PEER_SERVE }),
      .connections = 1 },
  { "pings-without-end-by-a-peer-that-never-reads",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_SEND, BYTES ("\x89\0"), .times = FOR_EVER }),
      .properties = "request-timeout=1500", .outage = RESOURCE (READ, "request-timeout"),
      .connections = 2 },
  { "messages-of-no-use-without-end",
      SCRIPT (
          { PEER_UPGRADE }, { PEER_AWAIT }, { PEER_SEND, BYTES ("\x81\x02{}"), .times = FOR_EVER }),
      .properties = "request-timeout=0", .frames = 500, .connections = 1 },
  { "replies-of-no-use-without-end",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          { PEER_SEND, BYTES ("\x82\x01\xc1"), .times = FOR_EVER }),
      .properties = "request-timeout=500", .frames = 500, .remark = BROKEN },
};

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
  FAULT_TABLE_ADD ("protocol/close", closes);
  FAULT_TABLE_ADD ("protocol/control", controls);
  FAULT_TABLE_ADD ("protocol/reply", replies);
  FAULT_TABLE_ADD ("protocol/answer", answers);
  FAULT_TABLE_ADD ("protocol/frame", frames);
  return g_test_run ();
}
