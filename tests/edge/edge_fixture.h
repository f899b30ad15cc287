// edge_fixture.h: a whole edge on a free loopback port, in front of a fake control.
// Threads: caller serialises.
#pragma once

#include <memory>
#include <string>

#include <boost/json/object.hpp>
#include <gtest/gtest.h>

#include "edge/edge.h"
#include "process/metrics.h"
#include "tests/fakes/fake_control_link.h"
#include "tests/support/ws_client.h"

namespace confab::tests {

inline constexpr char kSocketIoTarget[] = "/socket.io/?EIO=4&transport=websocket";

// A token of that user with so long to live.
// `more`: further claims.
std::string TokenFor(const std::string& user, int seconds_left = 3'600,
                     const boost::json::object& more = {});

class EdgeTest : public testing::Test {
 protected:
  EdgeTest();
  ~EdgeTest() override;

  // With config_ as it stands.
  void StartEdge(bool is_attached = true);
  WsClient OpenSocketIo(const std::string& user);  // Up to and with `connected`.
  static std::string Ask(WsClient& client, int ack, const std::string& event,
                         const std::string& json);  // Returns the ack's message, or "".

  // How much of 64 MiB the edge takes before it is gone.
  static int MiBTaken(WsClient& client);

  edge::EdgeConfig config_;
  process::Metrics metrics_;
  FakeControlLink* control_ = nullptr;  // The edge's.
  std::unique_ptr<edge::Edge> edge_;

 private:
  std::string secret_file_;
};

}  // namespace confab::tests
