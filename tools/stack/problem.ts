/** Something that keeps the stack from doing what was asked; the message is a sentence for whoever asked. */
export class StackProblem extends Error {}
