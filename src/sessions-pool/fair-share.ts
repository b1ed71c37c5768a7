/** How many sessions one worker should hold when `sessions` are spread over `workers`. */
export function fairShare(workers: number, sessions: number): number {
  return Math.ceil(sessions / Math.max(1, workers));
}
