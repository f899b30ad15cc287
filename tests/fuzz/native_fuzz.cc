// Frames of native clients, JSON and binary.
// Covers: edge/protocol/native_codec.cc
#include <string>

#include <google/protobuf/stubs/logging.h>

#include "edge/protocol/native_codec.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace edge = confab::edge;
  using confab::fuzz::Require;
  static auto* const silent = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(silent);
  if (size == 0) return 0;
  const edge::NativeForm form =
      bytes[0] % 2 == 0 ? edge::NativeForm::kJson : edge::NativeForm::kBinary;
  confab::v1::ClientFrame frame;
  const std::string_view text = confab::fuzz::View(bytes + 1, size - 1);
  const absl::Status status = edge::DecodeClientFrame(form, text, frame);
  if (!status.ok()) {
    // Told to the client, in a frame of the same form.
    confab::v1::ServerFrame reply;
    reply.mutable_reply()->set_request(frame.request());
    reply.mutable_reply()->mutable_error()->set_message(std::string(status.message()));
    std::string out;
    edge::AppendServerFrame(form, reply, out);
    confab::v1::ServerFrame read;
    Require(form == edge::NativeForm::kJson || read.ParseFromString(out), "a refusal can be read");
    Require(!out.empty(), "a refusal is told");
    return 0;
  }
  const std::string wire = frame.SerializeAsString();
  confab::v1::ClientFrame again;
  Require(edge::DecodeClientFrame(edge::NativeForm::kBinary, wire, again).ok() ||
              wire.size() > edge::kClientFrameBytesLimit,
          "what was read can be written and read again");
  return 0;
}
