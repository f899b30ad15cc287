// engineio_session.h: the Engine.IO v4 layer of one session: open packet, heartbeat, packet types,
// close. What its messages mean is the app's above it (seam: EngineIoApp).
// Owns: the heartbeat, the app.   Used by: io_thread (makes), transport, the app (sends).
// Threads: confined to the io thread.
// Fails: what is no packet closes the transport.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "edge/connection/heartbeat.h"
#include "edge/connection/rate_limit.h"
#include "edge/connection/session.h"
#include "edge/connection/session_home.h"

namespace confab::edge {

class EngineIoSession;

// What stands above an Engine.IO session.
class EngineIoApp {
 public:
  virtual ~EngineIoApp() = default;

  // The body of one message packet; views the frame.
  virtual void OnMessage(bool is_binary, std::string_view body) = 0;
  // The outbox is below half again, after Transport::HasRoom said it was not.
  virtual void OnDrained() = 0;
  // As Session has it.
  virtual void OnDegraded(std::span<const Dropped> /*dropped*/) {}
  // The session goes on over another transport.
  virtual void OnMoved(Transport& transport) = 0;
  // Says why in the app's words; the session closes the transport behind it.
  virtual void SayClosing(CloseReason reason) = 0;
  // The session has to go in so long, and is served until then.
  virtual void SayDraining(absl::Duration /*delay*/) {}
  // The session closes its transport.
  virtual void OnClosing(CloseReason /*reason*/) {}
  // Takes no further commands. False: some are still to be answered; the app calls GoOnEnding then.
  virtual bool EndCommands() { return true; }
  // As Heartbeat::Owner has it.
  virtual Heartbeat::SteadyTime CheckTokens(Heartbeat::SteadyTime now) = 0;
};

class EngineIoSession final : public Session, private Heartbeat::Owner {
 public:
  // `home` and `transport` outlive this object. `request.sid` is a secret: it alone authorises
  // polling requests.
  EngineIoSession(SessionHome& home, const OpenRequest& request, Transport& transport);

  // REQUIRES: called once, before OnOpen.
  void SetApp(std::unique_ptr<EngineIoApp> app) { app_ = std::move(app); }

  void OnOpen() override;
  void OnMessage(bool is_binary, std::string_view message) override;
  void OnPong() override {}  // Engine.IO has pongs of its own.
  void OnDrained() override { app_->OnDrained(); }
  void OnDegraded(std::span<const Dropped> dropped) override { app_->OnDegraded(dropped); }
  void Shut(CloseReason reason) override;
  void OnClosed() override { heartbeat_.Stop(); }
  void BeginDrain(absl::Duration delay) override;
  void CheckTime() override { heartbeat_.Check(); }
  void MoveTo(Transport& transport) override;
  std::string_view sid() const override { return sid_; }

  // For the app. `append` adds a whole text packet (leading type digit included) to the string
  // given.
  template <typename Append>
  void SendText(Append&& append) {
    append(BeginText());
    FinishText();
  }
  // The same, but where `append` gives false nothing is sent.
  template <typename Append>
  bool SendTextIf(Append&& append) {
    if (!append(BeginText())) return false;
    FinishText();
    return true;
  }
  void SendBinary(std::string_view payload);
  // Ends without a word.
  void Close(CloseReason reason);
  // A packet that asks for nothing was passed over. Too many of them end the session.
  void CountIdlePacket();
  // A token was accepted, and its connection waits for control; control knows a connection; there
  // is none any more.
  void OnAuthenticated() { heartbeat_.OnAuthenticated(); }
  void OnAdmitted() { heartbeat_.OnAdmitted(); }
  void OnLeft() { heartbeat_.OnLeft(); }
  // What was under way is answered, or nobody waits for it any more.
  void GoOnEnding();
  // The session has to go soon: who is not connected yet had better go at once.
  bool is_draining() const { return is_draining_; }
  // One of them has another token.
  void OnTokens() { heartbeat_.OnTokens(); }

  SessionHome& home() { return home_; }
  Transport& transport() { return *transport_; }

 private:
  void SendPing() override;
  void OnTimeUp(CloseReason reason) override { Shut(reason); }
  void OnEndDue() override;
  Heartbeat::SteadyTime CheckTokens(Heartbeat::SteadyTime now) override {
    return app_->CheckTokens(now);
  }

  std::string& BeginText();
  void FinishText();

  SessionHome& home_;
  Transport* transport_;
  const std::string sid_;
  Heartbeat heartbeat_;
  RateBucket idle_packets_;
  const bool is_polling_;  // At its beginning.
  const bool wants_base64_;
  bool is_draining_ = false;  // Its end is known.
  bool is_ending_ = false;    // It has come: what is under way is awaited.
  std::unique_ptr<EngineIoApp> app_;
};

}  // namespace confab::edge
