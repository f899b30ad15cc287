// session_gate.h: whether a request may open a session now, and whose it is.
// Owns: nothing.   Used by: http_talk.
// Threads: confined to the io thread.
// Fails: with an answer that names the limit: 503 of the edge, 429 of the client's address.
#pragma once

#include <optional>

#include <boost/beast/http/fields.hpp>

#include "edge/auth/client_address.h"
#include "edge/connection/session.h"
#include "edge/transport/http_answer.h"

namespace confab::edge {

struct HttpHome;

// Who asks: the peer, or whom trusted proxies name in the request's headers.
ClientAddress ClientOfRequest(const ProxyTrust& proxies, const IpAddress& peer,
                              const boost::beast::http::fields& headers);

// nullopt: it may open, and `open` holds its place.
std::optional<HttpAnswer> CheckSession(HttpHome& home, const ClientAddress& client,
                                       OpenRequest& open);

}  // namespace confab::edge
