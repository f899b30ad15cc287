#include "edge/transport/event_loop.h"

#include <chrono>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace confab::edge {

namespace net = boost::asio;

namespace {
using Executor = net::io_context::executor_type;
using Timer = net::basic_waitable_timer<std::chrono::steady_clock,
                                        net::wait_traits<std::chrono::steady_clock>, Executor>;

// A flush is mostly one system call, a microsecond or more: the next but one is early enough.
constexpr std::size_t kPrefetchAhead = 2;
}  // namespace

// Keeps the wheel's pace: ticks that were missed while the loop was busy are made up for.
struct EventLoop::Ticker {
  explicit Ticker(EventLoop& owner)
      : loop(owner),
        timer(owner.context_->get_executor()),
        guard(owner.context_->get_executor()),
        step(absl::ToChronoMilliseconds(owner.wheel_.tick())),
        next(std::chrono::steady_clock::now() + step) {}

  void Wait() {
    timer.expires_at(next);
    timer.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      while (next <= std::chrono::steady_clock::now()) {
        next += step;
        loop.wheel_.Tick();
      }
      Wait();
    });
  }

  EventLoop& loop;
  Timer timer;
  net::executor_work_guard<Executor> guard;
  const std::chrono::milliseconds step;
  std::chrono::steady_clock::time_point next;
};

EventLoop::Flushable::~Flushable() {
  if (dirty_in_ == nullptr) return;
  // It stands in one of the two lists, at the same index.
  for (std::vector<Flushable*>* list : {&dirty_in_->dirty_, &dirty_in_->flushing_}) {
    if (dirty_index_ < list->size() && (*list)[dirty_index_] == this) {
      (*list)[dirty_index_] = nullptr;
    }
  }
}

EventLoop::EventLoop(absl::Duration tick)
    : context_(std::make_unique<net::io_context>(1)),
      wheel_(tick),
      ticker_(std::make_unique<Ticker>(*this)) {}

EventLoop::~EventLoop() {
  // Handlers own transports, which use the loop's members while they go.
  ticker_.reset();
  context_.reset();
  // What is still marked may outlive the loop by a little: it must not look for its place then.
  for (const std::vector<Flushable*>* list : {&dirty_, &flushing_}) {
    for (Flushable* flushable : *list) {
      if (flushable != nullptr) flushable->dirty_in_ = nullptr;
    }
  }
}

void EventLoop::Run() {
  ticker_->next = std::chrono::steady_clock::now() + ticker_->step;
  ticker_->Wait();
  context_->run();
}

void EventLoop::Stop() { context_->stop(); }

void EventLoop::Post(absl::AnyInvocable<void()> work) { net::post(*context_, std::move(work)); }

void EventLoop::MarkDirty(Flushable& flushable) {
  if (flushable.dirty_in_ != nullptr) return;
  EndTurnLater();
  flushable.dirty_in_ = this;
  flushable.dirty_index_ = dirty_.size();
  dirty_.push_back(&flushable);
}

std::chrono::steady_clock::time_point EventLoop::now() {
  if (!has_now_) {
    now_ = std::chrono::steady_clock::now();
    has_now_ = true;
    EndTurnLater();
  }
  return now_;
}

void EventLoop::EndTurnLater() {
  if (is_end_posted_) return;
  is_end_posted_ = true;
  net::post(*context_, [this] { FlushAll(); });
}

void EventLoop::FlushAll() {
  is_end_posted_ = false;
  has_now_ = false;
  flushing_.swap(dirty_);
  // By index: a Flush may destroy others of the list, or mark some for the next turn.
  for (std::size_t i = 0; i < flushing_.size(); ++i) {
    if (i + kPrefetchAhead < flushing_.size() && flushing_[i + kPrefetchAhead] != nullptr) {
      flushing_[i + kPrefetchAhead]->Prefetch();
    }
    Flushable* flushable = flushing_[i];
    if (flushable == nullptr) continue;
    flushable->dirty_in_ = nullptr;
    flushing_[i] = nullptr;
    flushable->Flush();
  }
  flushing_.clear();
  if (turn_end_) turn_end_();
}

}  // namespace confab::edge
