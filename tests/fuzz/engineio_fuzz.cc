// Engine.IO packets.
// Covers: edge/protocol/engineio_codec.cc
#include "edge/protocol/engineio_codec.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text = confab::fuzz::View(bytes, size);
  const auto packet = confab::edge::DecodeEngineIo(text);
  if (!packet.ok()) return 0;
  confab::fuzz::Require(static_cast<char>(packet->type) == text.front(), "the type is the digit");
  confab::fuzz::Require(packet->body == text.substr(1), "the body is what follows the digit");
  return 0;
}
