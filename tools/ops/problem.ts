/** Something that keeps a command from doing what was asked; the message is a sentence for whoever asked. */
export class OpsProblem extends Error {}
