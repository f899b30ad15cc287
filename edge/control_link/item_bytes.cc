#include "edge/control_link/item_bytes.h"

#include <string>

namespace confab::edge {

namespace {

// Numbers, tags and lengths of a command and of the item around it.
constexpr std::size_t kFramingBytes = 64;
constexpr std::size_t kTextFramingBytes = 4;

std::size_t BytesOf(const v1::PostMessage& post) {
  std::size_t bytes = post.room_id().size() + post.content().size() + post.client_msg_id().size() +
                      post.type().size() + post.reply_to().size() + post.body_json().size();
  for (const std::string& user : post.mentions()) bytes += user.size() + kTextFramingBytes;
  return bytes;
}

}  // namespace

std::size_t BytesOf(const v1::Command& command) {
  return kFramingBytes +
         (command.has_post_message() ? BytesOf(command.post_message()) : command.ByteSizeLong());
}

std::size_t BytesOf(const v1::EdgeItem& item) {
  return item.has_command() ? BytesOf(item.command()) : kFramingBytes + item.ByteSizeLong();
}

}  // namespace confab::edge
