// http_caller.h: calls of an edge's HTTP API, several at a time over connections that are kept.
// Owns: those connections. Lives until the loop has ended.   Used by: room_builder.
// Threads: confined to the loop.
// Fails: an answer with status 0 says why none came.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "tools/loadgen/http_answer.h"

namespace confab::loadgen {

struct HttpCall {
  std::string path;  // "/v1/rooms"
  std::string token;
  std::string json;
  std::function<void(const HttpAnswer&)> done;
};

class HttpCaller {
 public:
  // Enough to keep an edge busy, few enough for any limit on connections of an address.
  static constexpr size_t kLanes = 16;

  HttpCaller(boost::asio::io_context& io, boost::asio::ip::tcp::endpoint endpoint,
             boost::asio::ip::address source, std::string host_header);
  ~HttpCaller();
  HttpCaller(const HttpCaller&) = delete;
  HttpCaller& operator=(const HttpCaller&) = delete;

  void Post(HttpCall call);

  // Without an answer yet.
  size_t open() const { return waiting_.size() + under_way_; }

 private:
  class Lane;

  const boost::asio::ip::tcp::endpoint endpoint_;
  const boost::asio::ip::address source_;
  const std::string host_header_;
  std::deque<HttpCall> waiting_;
  size_t under_way_ = 0;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace confab::loadgen
