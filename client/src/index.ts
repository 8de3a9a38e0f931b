export {
  type ApplicationStep,
  type ChatHandle,
  type ChatStep,
  ChatSystem,
  type CreateOptions,
  type FollowOptions,
} from './chat-system.ts';
export { ChatSystemError, type ErrorCode, type Fault } from './error.ts';
export type { FollowStatus } from './follower.ts';
export { List, type Page } from './list.ts';
export type { CallOptions, Settings, Token } from './requests.ts';
export type * from './types.ts';
