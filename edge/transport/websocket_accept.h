// websocket_accept.h: turns an upgrade request that was found good into a WebSocketTransport. Apart
// from websocket_transport.h because only the listener knows Beast's types.
#pragma once

#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "edge/transport/websocket_transport.h"

namespace confab::edge {

using EdgeSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using UpgradeRequest = boost::beast::http::request<boost::beast::http::string_body>;

// `early` are bytes that came behind the request. `subprotocol` is named in the answer; may be
// empty.
void AcceptWebSocket(TransportHome& home, EdgeSocket socket, const UpgradeRequest& request,
                     std::string early, OpenRequest open, const std::string& subprotocol);

}  // namespace confab::edge
