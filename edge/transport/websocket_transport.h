// websocket_transport.h: one WebSocket: reads messages for its session, writes its outbox. Keeps
// itself alive while an operation is under way.
// Used by: http_talk (Accept).   Threads: confined to the io thread.
// Fails: whatever a peer does ends this socket at most, with a close code where one can be sent.
#pragma once

#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "edge/transport/edge_stream.h"
#include "edge/transport/transport_home.h"

namespace confab::edge {

using UpgradeRequest = boost::beast::http::request<boost::beast::http::string_body>;

// Turns an upgrade request that was found good into a WebSocket with a session on it. `early` are
// bytes that came behind the request. `subprotocol` is named in the answer; may be empty.
void AcceptWebSocket(TransportHome& home, EdgeStream stream, const UpgradeRequest& request,
                     std::string early, OpenRequest open, const std::string& subprotocol);

}  // namespace confab::edge
